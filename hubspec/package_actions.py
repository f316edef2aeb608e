"""What installs, pins and removes packages by conda and pip, within a time limit, and without touching what the hub runs on."""

from __future__ import annotations

import re
from shlex import quote

from hubspec.model import Absent, Action, Drift
from hubspec.pins import FILE, exact, wanted, write
from hubspec.shell import Safety, do, literal

PREFIX = "/opt/conda"
"""Where EMR's image has conda (EMR Release Guide, 'Installing additional kernels and libraries')."""
LIMIT = 850
"""Seconds that conda may take to solve, and again to install."""
HUB = (
    *("configurable-http-proxy", "jupyterhub", "jupyterhub-base", "nodejs", "notebook"),
    *("python", "sqlalchemy", "tornado", "traitlets"),
)
"""What the hub itself runs on: in its own environment no action replaces or removes these as a by-product."""
_BASE = "base"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
# Reads what `conda ... --dry-run --json` prints (4.4 and later), line by line as conda lays it out; any other layout has
# no line of success, and is refused. It exits with 3 where nothing is left to do.
_READ = 'awk \'/"UNLINK": \\[$/ {u = index($0, "\\"")} /^ *\\]/ && index($0, "]") <= u {u = 0} %s/^ *"(error|message)":/ {said = $0} /^ *"success": true,?$/ {ok = 1} '
_READ += 'END {if (left) exit 3; if (!ok) print "the dry run of conda failed:" said > "/dev/stderr"; exit bad || !ok}\''
_HUB = 'u && /"name": "(%s)"/ {bad = 1; print "not done: the hub runs on what conda would replace or remove," $0 > "/dev/stderr"} '
_THERE = 'u && /"name": "%s"/ {left = 1} '
_GONE = '/"exception_name": "(PackagesNotFoundError|EnvironmentLocationNotFound)"/ {left = 1} '


def split(name: str) -> tuple[str, str, str]:
    """Return environment, manager ('conda' or 'pip') and package name of `[ENVIRONMENT/][pip:]NAME`."""
    environment, _, rest = name.rpartition("/")
    manager, _, package = rest.rpartition(":")
    return environment or _BASE, manager or "conda", package


def spec(name: str, version: str | None, build: str | None) -> str:
    """Return a package as its manager's install command takes it."""
    _, manager, package = split(name)
    if manager == "pip":
        return package + (version or "")
    return " ".join([package, *([version or "*"] if version or build else []), *([build] if build else [])])


def fix(drift: Drift) -> list[Action]:
    """Return what pins and installs the declared version; conda's solver may change others, so a change of version is unsafe.

    What the hub itself runs on is for a person: its database and its proxy go with it. A pin comes first: an install
    that an older pin forbids fails.
    """
    if drift.expected.ensure == "absent":
        return forget(drift.name)
    stated, missing = drift.expected.stated(), isinstance(drift.observed, Absent)
    differs = {difference.field for difference in drift.differences}
    pins = _pin(drift) if "pinned" in differs or _outdated(drift) else []
    if not differs - {"pinned"}:
        return pins
    environment, manager, package = split(drift.name)
    version = stated.get("version")
    if manager == "conda" and version:
        version = exact(version)
    asked = spec(drift.name, version, stated.get("build"))
    where = f"into the environment {environment}"
    if _of_the_hub(environment, package) or not _known(environment, package):
        sentence = f"see how {asked} comes {where}: the hub itself runs on {package}, so a person installs it"
        return [*pins, do(sentence, _plain(environment, manager, "install", quote(asked)), "manual")]
    if not missing and not {"version", "build"} & differs:
        sentence = f"install {asked} {where} anew, from where it is declared to come: an install changes nothing of it"
        command = _plain(environment, manager, "install", f"--force-reinstall {quote(asked)}")
        return [*pins, do(sentence, command, "manual")]
    safety: Safety = "safe" if missing else "unsafe"
    if manager == "pip":
        command = _pip_install(environment, package, asked)
    else:
        command = _make(environment) + _guarded("install", environment, "" if " " in asked else package, asked)
    return [*pins, do(f"install {asked} {where}", command, safety)]


def _outdated(drift: Drift) -> bool:
    """Say whether a pin is declared, and what was seen of the package may be held at something else."""
    if not wanted(drift.expected.stated()):
        return False
    seen = drift.observed
    return isinstance(seen, Absent) or not drift.expected.accepts("pinned", getattr(seen.resource, "pinned", None))


def _pin(drift: Drift) -> list[Action]:
    environment, _, package = split(drift.name)
    pin = wanted(drift.expected.stated())
    where = f"in the environment {environment}"
    sentence = f"pin {package} at {pin} {where}" if pin else f"take the pin of {package} away {where}"
    if not _known(environment, package):
        return [do(f"{sentence} by hand", f"{_prefix(environment)}/{FILE}", "manual")]
    return [do(sentence, (_make(environment) if pin else "") + write(_prefix(environment), package, pin), "safe")]


def forget(name: str) -> list[Action]:
    """Return what removes a package that must not be there; a person removes one of an odd name, and what the hub runs on."""
    environment, manager, package = split(name)
    sentence = f"remove {package} from the environment {environment}"
    if _of_the_hub(environment, package) or not _known(environment, package):
        verb = "uninstall" if manager == "pip" else "remove"
        return [do(f"{sentence} by hand", _plain(environment, manager, verb, quote(package)), "manual")]
    if manager == "pip":
        there = "" if environment == _BASE else f"[ ! -d {_prefix(environment)} ] || "
        command = f"{there}timeout {LIMIT} {_prefix(environment)}/bin/pip uninstall -y -q -- {quote(package)}"
        return [do(sentence, command, "unsafe")]
    return [do(sentence, _guarded("remove", environment, package, package), "unsafe")]


def _pip_install(environment: str, package: str, wanted: str) -> str:
    """Return the command that has pip install a package; what the hub runs on is held at its version by constraints."""
    pip = f"{_prefix(environment)}/bin/pip"
    quiet = "--no-input --disable-pip-version-check -q"
    if environment != _BASE:
        conda = f"timeout {LIMIT} {PREFIX}/bin/conda install -y -q -n {quote(environment)} pip"
        return f"{_make(environment)}{{ [ -x {pip} ] || {conda}; }} && timeout {LIMIT} {pip} install {quiet} {quote(wanted)}"
    kept = "|".join(name for name in HUB if name != package)
    return (
        f"{pip} --disable-pip-version-check list --format=freeze | grep -iE {quote(f'^({kept})==')}"
        f" | timeout {LIMIT} {pip} install {quiet} -c /dev/stdin {quote(wanted)}"
    )


def _guarded(verb: str, environment: str, name: str, wanted: str) -> str:
    """Return the command that does a dry run first; nothing is done where `name`, if any, is in its place already."""
    conda, rest = f"timeout {LIMIT} {PREFIX}/bin/conda {verb} -y", f"-n {quote(environment)} {quote(wanted)}"
    rules = _HUB % "|".join(HUB) if environment == _BASE else ""
    rules += _GONE if verb == "remove" else _THERE % literal(name) if name else ""
    return f"if {conda} --dry-run --json {rest} | {_READ % rules}; then {conda} -q {rest}; elif [ $? != 3 ]; then exit 1; fi"


def _make(environment: str) -> str:
    if environment == _BASE:
        return ""
    make = f"timeout {LIMIT} {PREFIX}/bin/conda create -y -q -n {quote(environment)}"
    return f"{{ [ -d {_prefix(environment)}/conda-meta ] || {make}; }} && "


def _plain(environment: str, manager: str, verb: str, rest: str) -> str:
    if manager == "pip":
        return f"{_prefix(environment)}/bin/pip {verb} {rest}"
    return f"{PREFIX}/bin/conda {verb} -n {quote(environment)} {rest}"


def _of_the_hub(environment: str, package: str) -> bool:
    return environment == _BASE and package in HUB


def _known(*names: str) -> bool:
    return all(map(_NAME.fullmatch, names))


def _prefix(environment: str) -> str:
    return quote(PREFIX if environment == _BASE else f"{PREFIX}/envs/{environment}")
