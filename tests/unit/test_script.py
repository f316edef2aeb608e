"""The script made from a baseline or a plan: shellcheck has nothing to say, nothing is lost, no name and no content gets out."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hubspec import plan as plans
from hubspec.baseline import load
from hubspec.check import checks
from hubspec.errors import HubspecError
from hubspec.launch import inner
from hubspec.model import Absent
from hubspec.plan import Plan
from hubspec.script import Wish, from_baseline, made, write
from hubspec.verdict import judge
from tests.conftest import ROOT
from tests.made import CONTROLS, WHEN, saw
from tests.unit.test_quoting import HOSTILE

needs_shellcheck = pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck: sh tests/shellcheck.sh")
TRIED = re.compile(r"^try (\w+) .*?<<'(END_*)'\n(.*?)\n\2$", re.MULTILINE | re.DOTALL)
SECRET = b"c.JupyterHub.cookie_secret = 'canary'\n"
KEY = b"-----BEGIN RSA PRIVATE KEY-----\ncanary\n"


def checked(text: str, least: str) -> str:
    """Return what shellcheck says of a script; who runs a request gives it its `payload`."""
    command = ["shellcheck", "-s", "sh", "-S", least, "-e", "SC2154", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False).stdout


def baseline(folder: Path, **sections: Any) -> Path:
    path = folder / "b.yaml"
    document = {"accounts": "directory", **sections, "controls": CONTROLS}
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def all_is_well_formed(script: str, least: str = "style") -> None:
    for part in (script, inner(script), *(match[3] for match in TRIED.finditer(inner(script)))):
        assert checked(part, least) == ""


def hostile(folder: Path, names: list[str]) -> Path:
    (folder / "source").write_bytes(SECRET)
    return baseline(
        folder,
        users={f"x{name}": {"shell": f"/bin/{name}", "groups": [name], "uid": 2000 + at, "locked": False, "default_password": False} for at, name in enumerate(names)},
        files={f"/tmp/{name}": {"source": "source", "mode": "0600", "owner": name} for name in names} | {f"/gone/{name}": {"ensure": "absent"} for name in names},
        hub_users={name: {"admin": True, "groups": [name]} for name in names},
        containers={name: {"restart_policy": name} for name in names},
    )  # fmt: skip


@needs_shellcheck
@pytest.mark.parametrize("name", ["emr", "lab"])
def test_the_scripts_of_the_shipped_baselines_are_clean(name: str, tmp_path: Path) -> None:
    path = ROOT / "baselines" / f"{name}.yaml"
    if name == "emr":  # by itself it has nothing to make
        path = tmp_path / "mine.yaml"
        path.write_text(f"extends: {ROOT}/baselines/emr.yaml\nusers: {{diego: {{uid: 1001}}, mallory: {{ensure: absent}}}}\n"
                        "packages: {six: {}, cowsay: {ensure: absent}, a/pip:b: '==1.0', pip:c: {ensure: absent}}\naccounts: directory\n")  # fmt: skip
    script = made(Wish(path))

    all_is_well_formed(script)
    assert script == made(Wish(path)), "the same whenever it is made"


@needs_shellcheck
def test_hostile_names_are_clean(tmp_path: Path) -> None:
    # Below a warning it notes that $(id) in single quotes is not carried out, which is the point of them.
    all_is_well_formed(made(Wish(hostile(tmp_path, [*HOSTILE, "END", "END_OF_CONTAINER", "-x"]))), "warning")


@given(
    st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters=":/,"),
        min_size=1,
        max_size=12,
    )
)
def test_any_name_stays_in_its_place(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    script = made(Wish(hostile(tmp_path_factory.getbasetemp(), [name])))
    done = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False)
    again = subprocess.run(["sh", "-n"], input=inner(script), capture_output=True, text=True, check=False)

    assert (done.stderr, again.stderr) == ("", "")
    assert [match[1] for match in TRIED.finditer(inner(script))] == ["user", "file", "file", "hub_user"]


def test_every_line_of_a_hostile_name_that_ends_a_text_is_told_from_the_end(tmp_path: Path) -> None:
    script = made(Wish(baseline(tmp_path, hub_users={"x\nEND\nid >pwned\nEND_OF_CONTAINER\n": {"admin": True}})))

    assert "\nid" not in script
    assert inner(script).endswith('exit "$failed"\n')


def test_accounts_with_a_number_come_before_those_without(tmp_path: Path) -> None:
    path = baseline(tmp_path, users={"ana": {}, "diego": {"uid": 1001}, "bob": {}})

    assert [item.name for item in from_baseline(load(path))] == ["diego", "ana", "bob"]


def test_each_resource_is_in_it_once_or_for_a_person() -> None:
    script = made(Wish(ROOT / "baselines" / "lab.yaml"))
    found = load(ROOT / "baselines" / "lab.yaml").resources
    tried = [match[0].split("\n")[0] for match in TRIED.finditer(inner(script))]

    for kind in ("user", "package", "file", "hub_user"):
        for name in found[kind]:
            mine = [line for line in tried if line.startswith(f"try {kind} ") and f" {name} <<" in line]
            assert len(mine) == 1 or f"# {kind} {name}\n# by hand: " in script, name
    assert "sudo docker update --restart on-failure:5 jupyterhub" in script
    assert "# by hand: compare /etc/jupyter/conf/config.json with the copy that is kept" in script
    assert re.search(r"# package pip:jupyterhub\n# by hand: .*the hub itself runs on jupyterhub", script)


def test_a_content_is_in_it_in_base64_and_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "hub.py").write_bytes(SECRET)
    script = made(Wish(baseline(tmp_path, files={"/etc/hub.py": {"source": "hub.py"}})))

    assert "It holds the contents of 1 files" in script
    assert base64.b64encode(SECRET).decode() in script.replace("\n", "")
    assert "canary" not in script
    write(tmp_path / "out.sh", script)
    assert (tmp_path / "out.sh").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("name", "content"), [("/etc/x", KEY), ("/etc/x.key", b"\x00"), ("/etc/x.p12", b"\x00")])
def test_a_private_key_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(content)
    path = baseline(tmp_path, files={name: {"source": "source"}})

    with pytest.raises(HubspecError, match="looks like a private key") as error:
        made(Wish(path))
    assert "canary" not in str(error.value)
    assert base64.b64encode(content).decode() in made(Wish(path, secrets=True))


def test_nothing_to_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HubspecError, match="nothing of it can be done by a script"):
        made(Wish(baseline(tmp_path, packages={"pip:jupyterhub": "==1.5.0"})))


def planned(path: Path, **seen: Any) -> Plan:
    found = load(path)
    verdicts = [judge(check, found, saw(**seen)) for kind in seen for check in checks(found, kind)]
    return plans.plan(verdicts, found, run="r", cluster="lab", made=WHEN)


def test_a_plan_is_done_in_its_order_with_the_contents_of_its_baseline(tmp_path: Path) -> None:
    (tmp_path / "hub.py").write_bytes(SECRET)
    path = baseline(
        tmp_path, users={"diego": {"uid": 1001}}, files={"/etc/hub.py": {"source": "hub.py"}, "/etc/x": {}},
        hub_users={"diego": {"groups": ["a"]}}, packages={"six": {}},
    )  # fmt: skip
    plan = planned(path, user={}, package={}, file={"/etc/hub.py": Absent(), "/etc/x": Absent()}, hub_user={})
    (tmp_path / "plan.json").write_text(plan.model_dump_json())
    assert "canary" not in (tmp_path / "plan.json").read_text()
    script = made(Wish(tmp_path / "plan.json"))

    tried = [match[0].split("\n")[0].split(" <<")[0] for match in TRIED.finditer(inner(script))]
    assert tried == ["try user - diego", "try package - six", "try file /etc/hub.py /etc/hub.py", "try hub_user /hub/api/users/diego diego"]  # fmt: skip
    assert base64.b64encode(SECRET).decode() in script.replace("\n", "")
    assert "# by hand: put /etc/x back from where it is kept" in script

    (tmp_path / "hub.py").write_bytes(b"another content")
    with pytest.raises(HubspecError, match="make a new plan with --remediate=plan"):
        made(Wish(tmp_path / "plan.json"))


@pytest.mark.parametrize("arguments", [["gone.yaml"], ["gone.json"], ["pyproject.toml"]])
def test_what_is_neither_is_a_wrong_use(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "hubspec", "script", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("hubspec: ")
    assert "Traceback" not in done.stderr


def test_it_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "launch.sh"
    command = [sys.executable, "-m", "hubspec", "script", "baselines/lab.yaml"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    subprocess.run([*command, "-o", str(out)], cwd=ROOT, check=True)
    refused = subprocess.run([*command, "-o", "/nowhere/x"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert out.read_text() == printed
    assert json.dumps(refused.stderr).startswith('"hubspec: /nowhere/x: cannot be written')
