"""The probe of kernelspecs, really run over made-up data paths; and what registers and takes away, run by sh."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hubspec import kernel_actions, kernel_probe
from hubspec.kinds.kernel import KIND
from hubspec.model import Present

SPEC: dict[str, Any] = {
    "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "Python 3", "language": "python",
}  # fmt: skip
CANARY = "c4n4ry-77"


def spec(folder: Path, name: str, content: Any = SPEC, **more: Any) -> Path:
    """Write a kernelspec below a data path."""
    path = folder / "share/jupyter/kernels" / name / "kernel.json"
    path.parent.mkdir(parents=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content | more))
    return path


def prefix(folder: Path, *modules: str) -> Path:
    """Make an environment with a python that is none, and these modules."""
    site = folder / "lib/python3.9/site-packages"
    for module in modules:
        (site / module).parent.mkdir(parents=True, exist_ok=True)
        (site / module).touch()
    site.mkdir(parents=True, exist_ok=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").write_text("#!/bin/sh\ntouch pwned\n")
    (folder / "bin" / "python").chmod(0o755)
    return folder


def look(folder: Path) -> dict[str, Any]:
    """Return what the kind makes of what its probe prints; nothing may have been run."""
    command = [sys.executable, "-I", "-S", "-c", kernel_probe._READ, f"{folder}/p", f"{folder}/home/*", f"{folder}/usr"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout
    assert not (folder / "pwned").exists()
    return {
        name: one.resource.stated() | dict.fromkeys(one.unread or {}, "unread")
        for name, one in KIND.parse(done.stdout).items()
        if isinstance(one, Present)
    }


def test_the_first_of_a_name_counts_and_nothing_is_run(tmp_path: Path) -> None:
    prefix(tmp_path / "p", "ipykernel_launcher.py")
    spec(tmp_path / "p", "Python3", env={"TOKEN": CANARY, "A": "b"})
    spec(tmp_path / "usr", "python3", display_name="Another")
    spec(tmp_path / "usr", "bash", argv=["sh", "-c", "x"], display_name="Shell", language="bash")
    (tmp_path / "p/share/jupyter/kernels/empty").mkdir()
    seen = look(tmp_path)

    assert list(seen) == ["python3", "bash"]
    assert seen["python3"] == {
        "display_name": "Python 3", "language": "python", "command": f"{tmp_path}/p/bin/python",
        "module": "ipykernel_launcher", "environment": ["A", "TOKEN"], "runs": True,
    }  # fmt: skip
    assert seen["bash"]["command"].startswith("/")
    assert (seen["bash"]["module"], seen["bash"]["runs"]) == (None, True)


@pytest.mark.parametrize(
    ("module", "files", "runs"),
    [
        ("ipykernel_launcher", ["ipykernel_launcher.py"], True),
        ("sparkmagic.kernels.sparkkernel.sparkkernel", ["sparkmagic/kernels/sparkkernel/sparkkernel.py"], True),
        ("bash_kernel", ["bash_kernel/__main__.py"], True),
        ("fast", ["fast.cpython-39-x86_64-linux-gnu.so"], True),
        ("ipykernel_launcher", ["ipykernel/__init__.py"], False),
        ("*", ["ipykernel_launcher.py"], False),
        ("gone", ["__editable__.gone-1.0.pth"], "unread"),
    ],
)
def test_a_module_is_looked_for_and_not_imported(tmp_path: Path, module: str, files: list[str], runs: Any) -> None:
    prefix(tmp_path / "p", *files)
    spec(tmp_path / "p", "x", argv=["python", "-m", module])

    assert look(tmp_path)["x"]["runs"] == runs


def test_a_module_may_be_where_a_path_file_or_the_system_has_it(tmp_path: Path) -> None:
    prefix(tmp_path / "p", "ours.pth")
    (tmp_path / "p/lib/python3.9/site-packages/ours.pth").write_text("import sys\n../ours\n")
    (tmp_path / "p/lib/python3.9/ours").mkdir()
    (tmp_path / "p/lib/python3.9/ours/ipykernel_launcher.py").touch()
    spec(tmp_path / "p", "pth")
    spec(tmp_path / "p", "set", argv=["python", "-m", "gone"], env={"PYTHONPATH": "/x"})
    spec(tmp_path / "p", "gone", argv=["python", "-m", "gone"])
    assert {name: one["runs"] for name, one in look(tmp_path).items()} == {"pth": True, "set": "unread", "gone": False}

    (tmp_path / "p/pyvenv.cfg").write_text("home = /usr\ninclude-system-site-packages = true\n")
    assert look(tmp_path)["gone"]["runs"] == "unread"


@pytest.mark.parametrize("content", [
    "", "{", "[]", "null", '{"argv": [], "display_name": "x"}', '{"argv": "python", "display_name": "x"}', '{"argv": ["python"]}',
    '{"argv": ["python", 1], "display_name": "x"}', '{"argv": ["python", "-m"], "display_name": "x"}', "\udce9", "[" * 100_000,
])  # fmt: skip
def test_a_damaged_one_is_there_and_does_not_run(tmp_path: Path, content: str) -> None:
    prefix(tmp_path / "p")
    path = spec(tmp_path / "p", "x", "")
    path.write_bytes(content.encode(errors="surrogateescape"))
    seen = look(tmp_path)["x"]

    assert (seen["runs"], seen["command"]) == (False, "unread")


def test_what_it_runs_is_gone(tmp_path: Path) -> None:
    prefix(tmp_path / "p")
    spec(tmp_path / "p", "gone", argv=[f"{tmp_path}/envs/gone/bin/python", "-m", "x"])
    spec(tmp_path / "p", "unknown", argv=["no-such-program"])
    path = spec(tmp_path / "p", "own", argv=["{resource_dir}/run.sh"])
    assert {name: one["runs"] for name, one in look(tmp_path).items()} == {
        "gone": False,
        "unknown": False,
        "own": False,
    }

    (path.parent / "run.sh").touch(0o755)
    assert look(tmp_path)["own"]["runs"] is True


def test_those_in_a_home_are_told_by_their_user_and_no_pipe_is_read(tmp_path: Path) -> None:
    prefix(tmp_path / "p", "ipykernel_launcher.py")
    mine = spec(tmp_path / "home/diego/.local", "Mine")
    pipe = spec(tmp_path / "home/ana/.local", "pipe")
    pipe.unlink()
    os.mkfifo(pipe)
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps(SPEC | {"display_name": CANARY}))
    secret.chmod(0o600)
    link = spec(tmp_path / "home/ana/.local", "link")
    link.unlink()
    link.symlink_to(secret)
    if os.getuid() == 0:
        os.chown(tmp_path / "home/ana", 4242, 4242)
    seen = look(tmp_path)

    assert list(seen) == ["ana/link", "ana/pipe", "diego/mine"]
    assert mine.exists()
    assert seen["ana/pipe"] == dict.fromkeys(
        ("display_name", "language", "command", "module", "environment"), "unread"
    ) | {"runs": False}
    assert seen["diego/mine"]["runs"] is True


def test_one_is_moved_out_of_where_jupyter_looks_and_a_second_time_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix(tmp_path / "p")
    for name in ("Mallory", "mallory2", "x"):
        spec(tmp_path / "p", name)
    folder = f"{tmp_path}/p/share/jupyter/kernels"
    monkeypatch.setattr(kernel_actions, "FOLDERS", (folder, f"{tmp_path}/none"))
    (action,) = KIND.forget("mallory")
    for _ in range(2):
        assert subprocess.run(["sh"], input=action.request, text=True, check=False).returncode == 0
        assert sorted(look(tmp_path)) == ["mallory2", "x"]
    (kept,) = Path(f"{folder}.hubspec").iterdir()

    assert kept.name.startswith("Mallory.2")
    assert (kept / "kernel.json").exists()
