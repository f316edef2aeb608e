"""A file or directory inside the container: configuration, keys, certificates."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, PrivateAttr, StringConstraints, model_validator

from hubspec.file_actions import ASIDE, fix, forget
from hubspec.kind import Kind, Observations, Undeclared, beyond_declared
from hubspec.model import Absent, Observation, Present, Resource, Text

Path = Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x1f\x7f]*$")]
Mode = Annotated[str, StringConstraints(pattern=r"^0[1-7]?[0-7]{3}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Lines = list[Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$")]]


class File(Resource):
    """A file by its path. Its content never leaves the container: it is hashed and searched there."""

    UNORDERED: ClassVar[frozenset[str]] = frozenset({"contains", "lacks"})
    SELECTORS: ClassVar[frozenset[str]] = frozenset({"source"})

    name: Path
    type: str | None = Field(None, description="As stat names it: regular file, directory, symbolic link.")
    mode: Mode | None = Field(None, description="Permission bits in octal, in quotes: '0600'.")
    owner: Text | None = Field(None, description="Name of the owner.")
    group: Text | None = Field(None, description="Name of the group.")
    sha256: Sha256 | None = Field(None, description="SHA-256 of the content.")
    source: str | None = Field(
        None,
        min_length=1,
        description="A file with the content, beside this baseline or by its path from it; it says the SHA-256, and a fix puts it there.",
    )
    contains: Lines | None = Field(None, description="Extended regular expressions (grep -E), each found in some line.")
    lacks: Lines | None = Field(None, description="Extended regular expressions (grep -E), none of them in any line.")

    _content: bytes | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _octal_in_quotes(cls, value: Any) -> Any:
        mode = value.get("mode") if isinstance(value, dict) else None
        if isinstance(mode, int) and not isinstance(mode, bool):
            message = f"mode: write it in quotes, '{mode:04o}' or as you meant it: YAML read the bare digits as the number {mode}"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _source_of_a_file(self) -> File:
        if self.source is not None and (self.ensure == "absent" or self.type not in {None, "regular file"}):
            raise ValueError("source: only a regular file that must be there has a content")
        return self

    def holding(self, content: bytes) -> File:
        """Return the same file with the content of its source, which no dump of it and no report holds."""
        copy = self.model_copy()
        copy._content = content  # noqa: SLF001 - its own
        return copy

    def content(self) -> bytes | None:
        """Return the content of its source, None where it has none."""
        return self._content


class UndeclaredFiles(Undeclared):
    """What to make of files that nobody declared."""

    watch: list[Path] = Field(default_factory=list, description="The directories in which to look.")


def probe(declared: Iterable[Resource], policy: Undeclared) -> str:
    """Return the script that reads the declared files, and lists what lies in the watched directories.

    Its processes do not grow with the files, but for one `grep` each stated expression.
    """
    files = [file for file in declared if isinstance(file, File)]
    names = " ".join(shlex.quote(file.name) for file in files)
    hashed = " ".join(shlex.quote(file.name) for file in files if file.sha256)
    script = ""
    if names:
        script += f'for f in {names}; do if [ -e "$f" ] || [ -L "$f" ]; then :; else printf "m:%s\\n" "$f"; fi; done\n'
        script += f"printf '%s\\0' {names} | xargs -0 {_STAT} 2>/dev/null || true\n"
    if hashed:
        script += (
            f"printf '%s\\0' {hashed} | xargs -0 sha256sum -z -- 2>/dev/null | tr '\\0' '\\n' | sed 's/^/h:/' || true\n"
        )
    for file in files:
        quoted = shlex.quote(file.name)
        for mark, expressions in (("c", file.contains), ("l", file.lacks)):
            for expression in expressions or []:
                wanted = shlex.quote(expression)
                script += f"grep -Eqs -e {wanted} -- {quoted}; printf '{mark}:%s\\t%s\\t%s\\n' $? {wanted} {quoted}\n"
    for directory in policy.watch if isinstance(policy, UndeclaredFiles) else ():
        script += f"find {shlex.quote(directory)} -mindepth 1 -maxdepth 1 ! -type d {_WATCH} || true\n"
    return script or ":"


_STAT = "stat -c 'f:%a:%U:%G:%F:%n' --"
# A name with a line break in it could pass for a line about another file, so stat quotes such a name (%N).
_WATCH = (
    r"\( -name '*[[:cntrl:]]*' -exec stat -c 'w:%a:%U:%G:%F:%N' -- {} +"
    r" -o -exec stat -c 'w:%a:%U:%G:%F:%n' -- {} + \)"
)
_FOUND, _NOT_FOUND = "0", "1"


def parse(answer: str) -> Observations:
    """Return the declared and the watched files by path, from the probe's lines.

    `m:` missing, `f:` and `w:` stat, `h:` hash, `c:` and `l:` grep's status of one expression. The observed
    `contains` and `lacks` are those of the stated expressions that hold.
    """
    files: Observations = {}
    found: dict[str, dict[str, Any]] = {}
    status: dict[str, dict[str, dict[str, str]]] = {}
    for line in answer.split("\n"):
        mark, _, rest = line.partition(":")
        if mark == "m":
            files[rest] = Absent()
        elif mark in {"f", "w"} and rest.count(":") >= 4:
            mode, owner, group, kind, path = rest.split(":", 4)
            kind = "regular file" if kind == "regular empty file" else kind
            found.setdefault(path, {}).update(type=kind, mode=f"0{mode:0>3}", owner=owner, group=group)
        elif mark == "h" and "  " in rest:
            digest, _, path = rest.partition("  ")
            found.setdefault(path, {})["sha256"] = digest
        elif mark in {"c", "l"} and rest.count("\t") == 2:
            code, expression, path = rest.split("\t")
            status.setdefault(path, {}).setdefault(mark, {})[expression] = code
    for path, fields in found.items():
        files[path] = _present(path, fields, status.get(path, {}))
    return files


def _present(path: str, fields: dict[str, Any], status: dict[str, dict[str, str]]) -> Present:
    unread = {} if "sha256" in fields else {"sha256": "it was not hashed: not asked for, or not a readable file"}
    for field, mark, wanted in (("contains", "c", _FOUND), ("lacks", "l", _NOT_FOUND)):
        codes = status.get(mark)
        if codes is None or not set(codes.values()) <= {_FOUND, _NOT_FOUND}:
            unread[field] = "it was not searched: not asked for, or grep could not read it"
        else:
            fields[field] = [expression for expression, code in codes.items() if code == wanted]
    return Present(File.model_construct({"name", *fields}, name=path, **fields), unread or None)


def undeclared(
    declared: Mapping[str, Resource], observed: Mapping[str, Observation], policy: Undeclared
) -> dict[str, Any]:
    """Return what lies in a watched directory and was not declared; what a fix moved aside there is no drift."""
    extra = beyond_declared(declared, observed, policy)
    return {name: seen for name, seen in extra.items() if not ASIDE.fullmatch(name)}


KIND = Kind(
    name="file",
    section="files",
    resource=File,
    door="container",
    reads="stat, sha256sum and grep -E of the declared files",
    probe=probe,
    parse=parse,
    fix=fix,
    undeclared=undeclared,
    forget=forget,
    policy=UndeclaredFiles,
    complete=False,
)
