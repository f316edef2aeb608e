"""The command `script`: a baseline, or a plan, as one shell script that does the same without hubspec."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from hubspec import plan as plans
from hubspec.baseline import Baseline, load
from hubspec.errors import HubspecError
from hubspec.kinds import KINDS
from hubspec.kinds.file import File
from hubspec.launch import Item, text
from hubspec.model import Absent, Action, Difference, Drift, Present, Resource

AFTER: dict[str, list[tuple[str, ...]]] = {
    "container": [("restart_policy",)],
    "user": [("locked",), ("default_password",)],
    "file": [("owner", "group", "mode")],  # before packages: where those come from may be said in a file
    "package": [("pinned",)],
    "kernel": [],
    "hub_user": [("admin",)],
}
"""Kind -> the fields that are set after it was made, or where it is there already, in this order."""
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|PuTTY-User-Key-File")
_KEY_FILE = re.compile(r".*\.(key|p12|pfx|jks|keytab)")


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line."""

    file: Path
    container: str = "jupyterhub"
    admin: str = "jovyan"
    secrets: bool = False


def made(wish: Wish) -> str:
    """Return the script for the baseline in a file, or for the plan in a file that ends with .json.

    Raises HubspecError where the file holds neither, does nothing, or would put a private key into the script.
    """
    if wish.file.suffix == ".json":
        plan = plans.read_file(wish.file)
        items, about = list(from_plan(plan)), f"carries out the plan {wish.file.name} for {plan.cluster}"
    else:
        items = list(from_baseline(load(wish.file)))
        about = f"brings a JupyterHub on EMR to what {wish.file.name} declares"
    if not any(item.actions for item in items):
        raise HubspecError(f"{wish.file}: nothing of it can be done by a script")
    if not wish.secrets:
        _refuse_keys(items)
    return text(items, about, wish.container, wish.admin)


def write(path: Path, content: str) -> None:
    """Write the script, for its owner only: it may hold contents of files. Raises HubspecError where it cannot."""
    try:
        path.touch(0o700)
        path.chmod(0o700)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise HubspecError(f"{path}: cannot be written: {error.strerror or error}") from None


def from_baseline(baseline: Baseline) -> Iterator[Item]:
    """Yield what makes each declared resource, in order; every action of it finds out by itself whether it is needed."""
    for name in AFTER:
        # An account whose number is declared comes first, so that no other is given its number.
        declared = sorted(baseline.resources[name].values(), key=lambda one: getattr(one, "uid", None) is None)
        for resource in declared:
            actions = _made(name, resource) if resource.ensure == "present" else KINDS[name].forget(resource.name)
            doors = dict.fromkeys(action.door for action in actions if action.safety != "manual")
            by_hand = tuple(dict.fromkeys(one.sentence for one in actions if one.safety == "manual"))
            for door in doors or ["container"]:
                mine = tuple(one for one in actions if one.door == door and one.safety != "manual")
                yield Item(name, resource.name, door, mine, by_hand)


def from_plan(plan: plans.Plan) -> Iterator[Item]:
    """Yield the safe and the unsafe actions of a plan, in order. Raises HubspecError where a content is not known any more."""
    contents: Baseline | None = None
    for (kind, name, door), entries in groupby(plan.entries, lambda one: (one.kind, one.resource, one.action.door)):
        actions, by_hand = [], []
        for entry in entries:
            action = entry.action
            if action.safety == "manual" or door == "aws":
                by_hand.append(action.sentence)
                continue
            if "${payload" in action.request:
                contents = contents or load(Path(plan.baseline))
                action = _with_content(action, contents.resources["file"].get(name), plan.baseline)
            actions.append(action)
        yield Item(kind, name, door, tuple(actions), tuple(by_hand))


def _made(name: str, resource: Resource) -> list[Action]:
    """Return the actions that make a resource, and those that put right what is there already, each once."""
    kind, stated = KINDS[name], resource.stated()
    content = resource.content() if isinstance(resource, File) else None
    actions = []
    if name == "file" and content is None:
        about = [field for field in ("sha256", "contains", "lacks") if field in stated]
        actions += _fix(name, resource, about) if stated.get("type") != "directory" else []
    if content is not None:
        actions += _fix(name, resource, ["sha256"])
    elif name != "container" and (name != "file" or stated.get("type") == "directory"):
        missing = Difference("ensure", "present", "absent")
        actions += kind.fix(Drift(name, resource.name, resource, Absent(), (missing,)))
    for fields in AFTER[name]:
        if name == "user" and fields == ("default_password",) and stated.get("locked"):
            continue  # no password opens it
        actions += _fix(name, resource, [field for field in fields if field in stated])
    return list({action.request: action for action in actions}.values())


def _fix(name: str, resource: Resource, fields: Iterable[str]) -> list[Action]:
    """Return what puts these fields right, whatever they are."""
    differences = tuple(Difference(field, getattr(resource, field), None) for field in fields)
    return KINDS[name].fix(Drift(name, resource.name, resource, Present(resource), differences)) if differences else []


def _with_content(action: Action, file: Resource | None, baseline: str) -> Action:
    """Return the action of a plan with the content that the plan does not hold, from the baseline it was made with."""
    again = _fix("file", file, ["sha256"]) if isinstance(file, File) and file.content() is not None else []
    again += KINDS["file"].fix(Drift("file", file.name, file, Absent(), ())) if again and file else []
    for one in again:
        if one.request == action.request:
            return one
    raise HubspecError(
        f"{action.sentence}: a plan does not hold contents, and the source in {baseline} is not the one it was made with;"
        " make a new plan with --remediate=plan"
    )


def _refuse_keys(items: Iterable[Item]) -> None:
    for item in items:
        for content in item.contents():
            if _KEY.search(content) or _KEY_FILE.fullmatch(item.name):
                raise HubspecError(
                    f"{item.name}: its source looks like a private key, and whoever reads the script would have it;"
                    " take it out of the baseline, or say --with-secrets and keep the script where only root reads it"
                )
