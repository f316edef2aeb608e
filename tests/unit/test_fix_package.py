"""What a fix of a package does, by a conda and a pip that answer as the real ones and refuse what they do not know."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hubspec import package_actions
from hubspec.compare import compare
from hubspec.kinds.package import KIND, Package
from hubspec.model import Absent, Action
from tests.made import present

PRETTY: dict[str, Any] = {"indent": 2, "sort_keys": True}
ITEM = {
    "base_url": "https://conda.anaconda.org/conda-forge",
    "build_number": 0,
    "build_string": "py_0",
    "platform": "noarch",
}
CONDA = """#!/bin/sh
case " $* " in
  " create -y -q -n "*) mkdir -p "$PREFIX/envs/$5/conda-meta" ;;
  *" --dry-run --json "*) cat "$PREFIX/answer"; exit "$(cat "$PREFIX/status")" ;;
  " install -y -q -n "*|" remove -y -q -n "*) ;;
  *) echo "no such command: $*" >&2; exit 2 ;;
esac
printf '%s\\n' "conda $*" >> "$PREFIX/did"
"""
PIP = """#!/bin/sh
case "$*" in
  "--disable-pip-version-check list --format=freeze") printf 'jupyterhub==1.5.0\\nTornado==6.1\\nsix==1.16.0\\nnotebook==6.4.12\\n' ;;
  "install --no-input --disable-pip-version-check -q -c /dev/stdin "*) { echo "pip $*"; cat; } >> "$PREFIX/did" ;;
  "install --no-input --disable-pip-version-check -q "*|"uninstall -y -q -- "*) echo "pip $*" >> "$PREFIX/did" ;;
  *) exit 2 ;;
esac
"""


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a conda prefix, of which every command knows."""
    monkeypatch.setattr(package_actions, "PREFIX", str(tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "conda-meta").mkdir()
    for name, text in (("conda", CONDA), ("pip", PIP)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    answer(tmp_path, success=True)
    return tmp_path


def answer(prefix: Path, *, status: int = 0, before: str = "", layout: Any = None, **document: Any) -> None:
    """Say what conda's dry run answers."""
    (prefix / "answer").write_text(before + json.dumps(document, **(PRETTY if layout is None else layout)) + "\n")
    (prefix / "status").write_text(str(status))


def plan(*unlink: str, **more: Any) -> dict[str, Any]:
    items = [{**ITEM, "name": name, "version": "1.0", "dist_name": f"{name}-1.0-py_0", **more} for name in unlink]
    return {
        "FETCH": [],
        "LINK": [{**ITEM, "name": "jupyterhub", "version": "2.0"}],
        "PREFIX": "/opt/conda",
        "UNLINK": items,
    }


def action(name: str, found: str = "", **fields: Any) -> Action:
    package = Package(name=name, **fields)
    seen = present("package", name, version=found, build="0") if found else Absent()
    drift = compare("package", package, seen)  # type: ignore[arg-type]
    (one,) = KIND.fix(drift) if drift else KIND.forget(name)
    return one


def do(one: Action, prefix: Path) -> tuple[int, str, list[str]]:
    env = {"PATH": os.environ["PATH"], "PREFIX": str(prefix), "LC_ALL": "C"}
    done = subprocess.run(
        ["sh"],
        input=f"(\n{one.request}\n) </dev/null",
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    did = (prefix / "did").read_text().splitlines() if (prefix / "did").exists() else []
    return done.returncode, done.stderr, did


def test_a_dry_run_that_is_fine_is_followed_by_the_real_one(prefix: Path) -> None:
    answer(prefix, success=True, dry_run=True, actions=plan("six", "numpy"))
    assert do(action("keras", version="2.12.*"), prefix) == (0, "", ["conda install -y -q -n base keras 2.12.*"])


@pytest.mark.parametrize(
    "layout", [plan("six", "notebook"), [plan("six"), plan("notebook")], plan("six", "notebook", depends=["a", "b"])]
)
@pytest.mark.parametrize("name", ["keras", "cowsay"])
def test_what_the_hub_runs_on_stops_it(name: str, layout: Any, prefix: Path) -> None:
    answer(prefix, success=True, dry_run=True, actions=layout)
    one = action("keras", version="2.12.*") if name == "keras" else action("cowsay", ensure="absent", found="1.0")
    code, said, did = do(one, prefix)

    assert (code, did) == (1, [])
    assert said.count("not done: the hub runs on what conda would replace or remove") == 1
    assert '"notebook"' in said


def test_in_another_environment_it_may_change(prefix: Path) -> None:
    answer(prefix, success=True, actions=plan("python"))
    assert do(action("science/keras"), prefix) == (
        0, "", ["conda create -y -q -n science", "conda install -y -q -n science keras"],
    )  # fmt: skip


@pytest.mark.parametrize("document", [
    {"error": "UnsatisfiableError: no", "message": "no", "exception_name": "UnsatisfiableError", "status": 1},
    {"message": "gone", "exception_name": "PackagesNotFoundError", "status": 1},
    {"success": False}, {},
])  # fmt: skip
def test_a_dry_run_that_fails_stops_it(document: dict[str, Any], prefix: Path) -> None:
    answer(prefix, **document)
    code, said, did = do(action("keras", version="2.12.*"), prefix)

    assert (code, did) == (1, [])
    assert "the dry run of conda failed:" in said
    assert str(document.get("message", "")) in said


@pytest.mark.parametrize("layout", [{}, {"indent": None, "separators": (",", ":")}], ids=["one line", "no blanks"])
def test_a_layout_that_is_not_condas_is_no_success(layout: dict[str, Any], prefix: Path) -> None:
    answer(prefix, layout=layout, success=True, actions=plan("notebook"))
    assert do(action("keras", version="2.12.*"), prefix)[0::2] == (1, [])


def test_no_answer_at_all_is_no_success(prefix: Path) -> None:
    (prefix / "answer").write_text("")
    assert do(action("keras"), prefix)[0::2] == (1, [])


def test_words_before_the_answer_do_no_harm(prefix: Path) -> None:
    answer(prefix, before="Collecting package metadata: done\n", success=True, actions=plan("notebook"))
    assert do(action("keras"), prefix)[0::2] == (1, [])


def test_a_package_in_any_version_that_is_there_is_left_alone(prefix: Path) -> None:
    answer(prefix, success=True, actions=plan("six"))
    assert do(action("six"), prefix) == (0, "", [])
    assert do(action("six", version="2.0"), prefix) == (0, "", ["conda install -y -q -n base six ==2.0"])


@pytest.mark.parametrize("why", ["PackagesNotFoundError", "EnvironmentLocationNotFound"])
def test_what_is_not_there_is_removed(why: str, prefix: Path) -> None:
    answer(prefix, error=f"{why}: x", exception_name=why, status=1)
    assert do(action("cowsay", ensure="absent", found="1.0"), prefix) == (0, "", [])


def test_pip_is_held_by_what_the_hub_runs_on(prefix: Path) -> None:
    code, said, did = do(action("pip:tabulate", version="==0.9.0"), prefix)
    install = "pip install --no-input --disable-pip-version-check -q -c /dev/stdin tabulate==0.9.0"
    assert (code, said, did) == (0, "", [install, "jupyterhub==1.5.0", "Tornado==6.1", "notebook==6.4.12"])


def test_pip_in_an_environment_that_is_not_there(prefix: Path) -> None:
    one = action("science/pip:tabulate")
    code, _, did = do(one, prefix)
    assert (code, did) == (127, ["conda create -y -q -n science", "conda install -y -q -n science pip"]), (
        "conda brought no pip"
    )

    (prefix / "envs" / "science" / "bin").mkdir()
    (prefix / "envs" / "science" / "bin" / "pip").symlink_to(prefix / "bin" / "pip")
    assert do(one, prefix)[2][-1] == "pip install --no-input --disable-pip-version-check -q tabulate"
    assert do(action("gone/pip:x", ensure="absent", found="1.0"), prefix)[0] == 0


@pytest.mark.parametrize("name", ["pip:jupyterhub", "pip:tornado", "nodejs", "python"])
def test_what_the_hub_runs_on_is_for_a_person(name: str) -> None:
    assert action(name).safety == "manual"
    assert action(name, found="9.9", version="==1.0" if "pip" in name else "1.0").safety == "manual"
    assert action(name, found="9.9", ensure="absent").safety == "manual"
    assert action(f"science/{name}").safety == "safe"


@pytest.mark.parametrize("name", ["--all", "-x", "pip:-r", "--all/x", "a b", "x;y", "..../-n"])
def test_an_odd_name_is_for_a_person(name: str) -> None:
    assert [one.safety for one in KIND.forget(name)] == ["manual"]


def test_what_an_install_does_not_change_is_for_a_person() -> None:
    package = Package(name="keras", channel="conda-forge", requested=True)
    drift = compare(
        "package", package, present("package", "keras", version="1", build="0", channel="other", requested=False)
    )
    assert drift is not None
    assert [one.safety for one in KIND.fix(drift)] == ["manual"]
