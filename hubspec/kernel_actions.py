"""What registers and takes away kernelspecs in the container."""

from __future__ import annotations

import re
from shlex import quote

from hubspec.kernel_probe import SYSTEMS
from hubspec.model import Absent, Action, Drift, Present
from hubspec.package_actions import PREFIX
from hubspec.shell import do

IPYKERNEL = "ipykernel_launcher"
"""The module of a kernel that `python -m ipykernel install` registers (ipykernel, `kernelspec.py`)."""
FOLDERS = tuple(f"{place}/share/jupyter/kernels" for place in (PREFIX, *SYSTEMS))
_NAME = re.compile(r"[a-z0-9_.][a-z0-9_.-]*")


def fix(drift: Drift) -> list[Action]:
    """Return what registers a kernel that is declared to be ipykernel's of some python; any other is for a person."""
    name, stated = drift.name, drift.expected.stated()
    if drift.expected.ensure == "absent":
        return forget(name)
    missing = isinstance(drift.observed, Absent)
    damaged = isinstance(drift.observed, Present) and "command" in (drift.observed.unread or {})
    differs = {difference.field for difference in drift.differences}
    if differs == {"runs"} and not damaged and not _otherwise(drift):
        what = stated.get("command")
        sentence = f"see why the kernel {name} cannot start; what it runs may have to be installed anew"
        return [do(sentence, f"ls -l {quote(what) if isinstance(what, str) else 'PROGRAM'}", "manual")]
    python, title = stated.get("command"), stated.get("display_name")
    known = isinstance(python, str) and stated.get("module") == IPYKERNEL and _NAME.fullmatch(name)
    if not known or "environment" in differs or not isinstance(title, str | None):
        sentence = f"register the kernel {name} as its maker says; sparkmagic's lie in its own folder kernels/"
        return [do(sentence, f"jupyter-kernelspec install FOLDER --name {quote(name)}", "manual")]
    shown = f" --display-name {quote(title)}" if title else ""
    install = f"{quote(str(python))} -m ipykernel install --prefix {PREFIX} --name {quote(name)}{shown} >/dev/null"
    if missing:
        return [do(f"register the kernel {name} of {python}", f"{_there(name)} || {install}", "safe")]
    return [do(f"register the kernel {name} of {python} anew", install, "unsafe")]


def _otherwise(drift: Drift) -> bool:
    """Say whether the kernel runs another program than the declared one, so that to register it anew is what is needed."""
    seen, expected = drift.observed, drift.expected
    named = [field for field in ("command", "module") if field in expected.stated()]
    return isinstance(seen, Present) and any(not expected.accepts(one, getattr(seen.resource, one)) for one in named)


def forget(name: str) -> list[Action]:
    """Return what moves a kernelspec aside, out of the folders in which Jupyter looks; one of a user's own is the user's."""
    owner, _, own = name.rpartition("/")
    if owner:
        sentence = f"ask {owner} about the kernel {own}, which is in their own home"
        return [do(sentence, f"ls {quote(f'/home/{owner}/.local/share/jupyter/kernels')}", "manual")]
    if not _NAME.fullmatch(name):
        return [do(f"remove the kernel {name} by hand", f"jupyter-kernelspec remove -- {quote(name)}", "manual")]
    # Beside it, it would be a kernel of another name.
    move = 'mkdir -p -- "$d.hubspec" && mv -T -- "$k" "$d.hubspec/${k##*/}.$(date -u +%Y%m%dT%H%M%SZ)" || exit 1'
    found = f'[ "$(printf %s "${{k##*/}}" | tr A-Z a-z)" = {quote(name)} ]'
    command = f'for d in {" ".join(FOLDERS)}; do for k in "$d"/*; do if {found}; then {move}; fi; done; done'
    sentence = f"move the kernel {name} aside, into a folder kernels.hubspec beside the one that it is in"
    return [do(sentence, command, "unsafe")]


def _there(name: str) -> str:
    return " || ".join(f"[ -e {folder}/{quote(name)}/kernel.json ]" for folder in FOLDERS)
