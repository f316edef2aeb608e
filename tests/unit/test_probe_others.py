"""The other probes, really run by sh against a made-up root."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hubspec.kind import Undeclared
from hubspec.kinds import KINDS, package
from hubspec.kinds.user import User
from hubspec.model import Observation, Present

IGNORED = Undeclared(policy="ignore")
PASSWD = [
    "root:x:0:0:root:/root:/bin/bash",
    "diego:x:1001:1001:Diego:/home/diego:/bin/bash",
    "jovyan:x:1000:100::/home/jovyan:/bin/bash",
    "$(id>pwned):x:1002:1001::/home/x:/bin/sh",
    "o'brien;id>pwned:x:1003:1001::/home/y:/bin/sh",
    "diego:x:0:0:second:/root:/bin/sh",
]
GROUP = ["root:x:0:", "users:x:100:", "diego:x:1001:", "analysts:x:1100:diego,jovyan"]
CRYPT = "print crypt($ARGV[0], q($6$pepper$))"


def crypt(password: str) -> str:
    return subprocess.run(["perl", "-e", CRYPT, password], capture_output=True, text=True, check=True).stdout


def sh(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
    return subprocess.run(
        ["sh"], input=script, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def root(folder: Path, shadow: list[str] | None, end: str = "\n") -> Path:
    etc = folder / "etc"
    etc.mkdir()
    (etc / "passwd").write_text("\n".join(PASSWD) + end)
    (etc / "group").write_text("\n".join(GROUP) + end)
    if shadow is not None:
        (etc / "shadow").write_text("\n".join(shadow) + end)
    return folder


def users(folder: Path, *asked: str) -> dict[str, Observation]:
    declared = [User(name=name, default_password=False) for name in asked]
    script = KINDS["user"].probe(declared, IGNORED).replace("/etc/", f"{folder}/etc/")
    done = sh(script, folder)
    assert done.returncode == 0, done.stderr
    assert not (folder / "pwned").exists()
    assert "$6$" not in done.stdout, "a hash left the container"
    return KINDS["user"].parse(done.stdout)


def field(seen: Observation, name: str) -> Any:
    assert isinstance(seen, Present)
    return "unread" if name in (seen.unread or {}) else getattr(seen.resource, name)


@pytest.mark.parametrize("end", ["\n", ""], ids=["line break", "no last line break"])
def test_users(end: str, tmp_path: Path) -> None:
    seen = users(root(tmp_path, ["root:*:1::::::", "diego:x:1::::::"], end))
    assert set(seen) == {line.split(":")[0] for line in PASSWD}
    told = {key: field(seen["diego"], key) for key in ("uid", "group", "groups", "home", "shell", "locked")}
    assert told == {
        "uid": 1001, "group": "diego", "groups": ["analysts"], "home": "/home/diego", "shell": "/bin/bash", "locked": False,
    }  # fmt: skip
    assert field(seen["root"], "group") == "root"
    assert field(seen["jovyan"], "locked") == "unread"


PASSWORDS = [
    # account, what its shadow entry holds, locked, default_password
    ("diego", "diego", False, True),
    ("diego", "another", False, False),
    ("diego", "jupyter", False, False),
    ("jovyan", "jupyter", False, True),
    ("jovyan", "jovyan", False, True),
    ("diego", "!", True, False),
    ("diego", "*", True, False),
    ("diego", "!diego", True, False),
    ("diego", "", False, True),
    ("diego", "no hash at all", False, False),
    ("$(id>pwned)", "$(id>pwned)", False, True),
    ("o'brien;id>pwned", "o'brien;id>pwned", False, True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "password", "locked", "default"), PASSWORDS)
@pytest.mark.skipif(not shutil.which("perl"), reason="the probe compares passwords with perl")
def test_default_password(name: str, password: str, *, locked: bool, default: bool, tmp_path: Path) -> None:
    lock = "!" if password.startswith("!") else ""
    plain = password in {"", "!", "*", "no hash at all"}
    entry = password if plain else lock + crypt(password.removeprefix("!"))
    other = crypt("never")
    seen = users(root(tmp_path, [f"{name}:{entry}:1::::::", f"{name}:{other}:2::::::"]), name)
    assert field(seen[name], "locked") is locked
    assert field(seen[name], "default_password") is default


def test_the_password_of_nobody_else_is_compared(tmp_path: Path) -> None:
    seen = users(root(tmp_path, ["diego::1::::::", "jovyan::1::::::"]), "diego")
    assert field(seen["diego"], "default_password") is True
    assert field(seen["jovyan"], "default_password") == "unread"


def test_without_a_shadow_file_the_rest_is_read(tmp_path: Path) -> None:
    seen = users(root(tmp_path, None), "diego")
    assert field(seen["diego"], "uid") == 1001
    assert [field(seen["diego"], name) for name in ("locked", "default_password")] == ["unread", "unread"]


def test_without_a_passwd_file_the_probe_fails(tmp_path: Path) -> None:
    script = KINDS["user"].probe((), IGNORED).replace("/etc/", f"{tmp_path}/etc/")
    assert sh(script, tmp_path).returncode != 0


META = '{\n  "build": "py_0",\n  "channel": "file:///opt/channel/",\n  "x": "%s",\n  "requested_spec": %s,\n  "name": "n"\n}'
CONDA = {
    "": {"keras-2.12.0-py_0": '"keras"', "six-1.16.0-pyh_0": '"None"', "two-words-1.0-0": "null"},
    "envs/analysis": {"toolz-0.12.0-py_0": '["toolz 0.12.0"]'},
    "envs/$(touch pwned)": {"x-1-0": '"x"'},
}
SITE = {
    "six-1.16.0.dist-info": {"INSTALLER": "conda\n"},
    "tabulate-0.9.0.dist-info": {"INSTALLER": "pip\n", "REQUESTED": ""},
    "Old_Style-1.0-py3.11.egg-info": {},
    "$(touch pwned)-1.0.dist-info": {"INSTALLER": "$(touch pwned)\n"},
}
PACKAGES = {
    # name -> version, requested, channel
    "keras": ("2.12.0", True, "file:///opt/channel/"),
    "six": ("1.16.0", False, "file:///opt/channel/"),
    "two-words": ("1.0", False, "file:///opt/channel/"),
    "pip:tabulate": ("0.9.0", True, None),
    "pip:old-style": ("1.0", False, None),
    "pip:$(touch pwned)": ("1.0", False, None),
    "analysis/toolz": ("0.12.0", True, "file:///opt/channel/"),
    "$(touch pwned)/x": ("1", True, "file:///opt/channel/"),
}


def test_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = tmp_path / "opt $(touch pwned) conda"
    monkeypatch.setattr(package, "PREFIX", str(prefix))
    for environment, records in CONDA.items():
        meta = prefix / environment / "conda-meta"
        meta.mkdir(parents=True)
        (meta / "history").touch()
        for name, spec in records.items():
            (meta / f"{name}.json").write_text(META % ("y" * 100_000, spec))
    (prefix / "envs" / "no-environment").mkdir()
    site = prefix / "lib" / "python3.11" / "site-packages"
    for folder, files in SITE.items():
        (site / folder).mkdir(parents=True)
        for name, text in files.items():
            (site / folder / name).write_text(text)

    done = sh(package.probe((), IGNORED), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.rglob("pwned"))
    assert len(done.stdout) < 10_000, "records stay where they are"
    seen = package.parse(done.stdout)
    assert {
        name: tuple(field(one, key) for key in ("version", "requested", "channel")) for name, one in seen.items()
    } == PACKAGES


def test_without_conda_the_probe_fails_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "PREFIX", str(tmp_path))
    done = sh(package.probe((), IGNORED), tmp_path)
    assert (done.returncode, done.stderr) == (1, f"no conda environment at {tmp_path}\n")


@pytest.mark.parametrize(
    ("text", "os_name"), [('ID=ubuntu\nVERSION_ID="22.04"\n', "ubuntu-22.04"), ("ID=debian\n", "debian")]
)
def test_os(text: str, os_name: str, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "os-release").write_text(text)
    said = sh(KINDS["container"].probe((), IGNORED).replace("/etc/", f"{tmp_path}/etc/"), tmp_path).stdout
    about = {
        "Name": "/hub", "Image": "i", "Config": {"Image": "i"}, "State": {"Running": True}, "Mounts": [],
        "HostConfig": {"Privileged": False},
    }  # fmt: skip
    seen = KINDS["container"].parse({"inspect": about, "others": {}, "text": said})
    assert field(seen["hub"], "os") == os_name
