"""`python -m hubspec init` and `diff` as their user runs them, and the audit with what was written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Audit
from tests.suite.snapshots import user, write


def hubspec(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HUBSPEC_", "AWS_"))}
    return subprocess.run(
        [sys.executable, "-m", "hubspec", *args], cwd=cwd, env=clean | {"PYTHONPATH": str(ROOT)} | env,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A snapshot of three accounts, and of nothing else."""
    jovyan = user(1000, group="users", home="/home/jovyan", default_password=False)
    people = {
        name: user(uid, home=f"/home/{name}", default_password=False) for name, uid in (("diego", 1001), ("ana", 1003))
    }
    write(tmp_path, jovyan=jovyan, **people)
    return tmp_path / "snapshot.json"


def test_what_was_written_is_what_the_audit_of_it_wants(saved: Path, audit: Audit) -> None:
    done = hubspec("init", "--snapshot", "snapshot.json", "-o", "deep/mine.yaml", cwd=saved.parent)
    run = audit(
        "--snapshot", str(saved), "--baseline", str(saved.parent / "deep" / "mine.yaml"), checks="checks/test_users.py"
    )

    assert done.returncode == 11, "the snapshot holds nothing but accounts"
    assert "could not be read, and is a comment there:" in done.stderr
    assert done.stdout == ""
    assert run.code == 0, run.text
    assert len([record for record in run.records if record["resource"] == "ana"]) >= 3


def test_a_file_that_is_there_is_kept_unless_forced(saved: Path) -> None:
    words = ("init", "--snapshot", str(saved))
    first = hubspec(*words, cwd=saved.parent)
    made = (saved.parent / "j-SNAP.yaml").read_text()
    (saved.parent / "j-SNAP.yaml").write_text("mine: true\n")
    second = hubspec(*words, cwd=saved.parent)
    kept = (saved.parent / "j-SNAP.yaml").read_text()
    third = hubspec(*words, "--force", cwd=saved.parent)

    assert (first.returncode, second.returncode, third.returncode) == (11, 4, 11), first.stderr + third.stderr
    assert second.stderr.splitlines() == [
        "settings: snapshot (command line)",
        "hubspec: j-SNAP.yaml: is there already; give --force to replace it, or another -o FILE",
    ]
    assert kept == "mine: true\n"
    assert (saved.parent / "j-SNAP.yaml").read_text() == made


WRONG = [
    ([], {}, "of which cluster?"),
    (["--cluster", "lab"], {}, 'eval "$(python -m lab env)"'),
    ([], {"HUBSPEC_CLUSTER": "lab"}, 'eval "$(python -m lab env)"'),
    (["--cluster", "../x"], {}, "wanted an id of EMR"),
    (["--cluster", "j-1", "--snapshot", "x"], {}, "give it or --cluster, not both"),
    (["--snapshot", "none.json"], {}, "none.json: cannot be read"),
    (["--snapshot", "snapshot.json", "-o", "snapshot.json/x.yaml"], {}, "cannot be written"),
    (["--cluster", "j-1", "--deadline", "soon"], {}, "--deadline: wanted a number of seconds above 0"),
    (["--cluster", "j-1"], {"HUBSPEC_STEP_LIMIT": "no"}, "--step-limit: wanted a whole number"),
    (["--clutser", "j-1"], {}, "unrecognized arguments: --clutser"),
]


@pytest.mark.parametrize(
    ("args", "env", "words"), WRONG, ids=[case[2] for case in WRONG[:2]] + [str(n) for n in range(8)]
)
def test_wrong_use_is_a_sentence(saved: Path, args: list[str], env: dict[str, str], words: str) -> None:
    before = sorted(saved.parent.iterdir())
    done = hubspec("init", *args, cwd=saved.parent, **env)

    assert done.returncode == 4, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(saved.parent.iterdir()) == before


def test_a_cluster_of_which_nothing_can_be_read(tmp_path: Path) -> None:
    nowhere = {
        "DOCKER_HOST": "unix:///nonexistent.sock", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "HUBSPEC_HUB_TOKEN": "hunter2",
        "HUBSPEC_HUB_URL": "https://127.0.0.1:9",
    }  # fmt: skip
    done = hubspec("init", "--cluster", "j-1", cwd=tmp_path, **nowhere)

    assert done.returncode == 11, done.stderr
    assert "nothing could be read, so there is nothing to write" in done.stderr
    assert "hunter2" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_diff_of_snapshots_and_of_a_baseline(saved: Path) -> None:
    hubspec("init", "--snapshot", str(saved), "-o", "mine.yaml", cwd=saved.parent)
    later = json.loads(saved.read_text())
    later["kinds"]["user"]["seen"]["ana"]["present"]["shell"] = "/bin/zsh"
    (saved.parent / "later.json").write_text(json.dumps(later, indent=1))

    same, changed, baseline, wrong = (
        hubspec("diff", *args, cwd=saved.parent)
        for args in (
            ("snapshot.json", "snapshot.json"), ("snapshot.json", "later.json", "--json"),
            ("mine.yaml", "later.json"), ("snapshot.json", "none.json"),
        )
    )  # fmt: skip

    assert (same.returncode, changed.returncode, baseline.returncode, wrong.returncode) == (0, 1, 1, 4)
    assert json.loads(changed.stdout)["kinds"]["user"]["changed"] == {
        "ana": {"shell": {"before": "/bin/bash", "after": "/bin/zsh"}}
    }
    assert "      shell: /bin/bash -> /bin/zsh" in baseline.stdout
    assert "hubspec: none.json: cannot be read" in wrong.stderr
