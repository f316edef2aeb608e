"""A kernel that notebooks can be run with, by its kernelspec: the file kernel.json in one of Jupyter's data paths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from hubspec.kernel_actions import fix, forget
from hubspec.kernel_probe import script
from hubspec.kind import Kind, Observations, Undeclared
from hubspec.model import Detail, Present, Resource, Text, Value

KernelName = Annotated[str, StringConstraints(pattern=r"^([^/\x00-\x20\x7f]+/)?[A-Za-z0-9._-]+$")]


class Kernel(Resource):
    """A kernel by the name of its kernelspec, as `jupyter kernelspec list` shows it; USER/NAME is one in a user's own home."""

    UNORDERED: ClassVar[frozenset[str]] = frozenset({"environment"})

    name: KernelName
    display_name: Text | None = Field(None, description="What people choose it by.")
    language: Text | None = Field(None, description="The language of its cells: python, scala, R.")
    command: Text | None = Field(None, description="Path of the program that it runs: /opt/conda/bin/python3.")
    module: Text | None = Field(None, description="What that python runs with -m: ipykernel_launcher.")
    environment: list[str] | None = Field(None, description="Names of the variables that it sets, all of them.")
    runs: bool | None = Field(None, description="That program is there and can be executed, and has the module.")

    @classmethod
    def canonical(cls, name: str) -> str:
        """Return the name as Jupyter has it: in lower case."""
        owner, slash, own = name.rpartition("/")
        return f"{owner}{slash}{own.lower()}"


class _Seen(Value):
    name: str
    folder: str
    display_name: str | None = None
    language: str | None = None
    command: str | None = None
    module: str | None = None
    environment: list[str] | None = None
    runs: bool | None = None
    why: str = ""
    broken: str = ""


_ANSWER = TypeAdapter(list[_Seen])
_NOT_IN_A_BROKEN_ONE = ("display_name", "language", "command", "module", "environment")


def probe(_declared: Iterable[Resource], _policy: Undeclared) -> str:
    """Return the script that reads the kernelspecs, and looks whether what they run is there."""
    return script()


def parse(answer: str) -> Observations:
    """Return the kernels by name. One whose kernel.json is damaged is there, and does not run."""
    try:
        listed = _ANSWER.validate_json(answer)
    except ValidationError as error:
        message = f"the list of kernels is not one ({error.errors()[0]['msg']})"
        raise ValueError(message) from None
    return {seen.name: _present(seen) for seen in listed}


def _present(seen: _Seen) -> Present:
    fields: dict[str, Any] = seen.model_dump(exclude={"name", "folder", "why", "broken"})
    unread = dict.fromkeys(_NOT_IN_A_BROKEN_ONE, seen.broken) if seen.broken else {}
    if seen.broken:
        fields["runs"] = False
    elif seen.runs is None:
        unread["runs"] = f"{seen.why}, and it may be elsewhere than where it was looked for"
    fields = {name: value for name, value in fields.items() if name not in unread}
    why = [Detail(seen.folder, seen.broken or seen.why, "runs")] if seen.broken or seen.why else []
    return Present(Kernel.model_construct({"name", *fields}, name=seen.name, **fields), unread or None, tuple(why))


KIND = Kind(
    name="kernel",
    section="kernels",
    resource=Kernel,
    door="container",
    reads="kernel.json in Jupyter's data paths, and in those of each home",
    probe=probe,
    parse=parse,
    fix=fix,
    forget=forget,
)
