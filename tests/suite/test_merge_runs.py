"""`python -m hubspec merge` over the reports of real audits, as its user calls it; and what a full disk or a wrong line costs."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from snapshots import user, write

from hubspec.__main__ import main
from hubspec.report.formats import FORMATS
from tests.conftest import ROOT, Audit
from tests.parts import leave, one_of
from tests.samples import samples

USERS = "checks/test_users.py"


Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def hubspec(capsys: pytest.CaptureFixture[str]) -> Said:
    """Run a command in this process, and return its exit code and what it said."""

    def go(*args: object) -> tuple[int, str, str]:
        code = main(list(map(str, args)))
        said = capsys.readouterr()
        return code, said.out, said.err

    return go


def test_two_audits_are_one_report_in_every_format(audit: Audit, tmp_path: Path, hubspec: Said) -> None:
    found = []
    for cluster, seen in (("j-B", user(1007)), ("j-A", user(1001))):
        (tmp_path / cluster).mkdir()
        options = write(tmp_path / cluster, diego=seen)
        snapshot = tmp_path / cluster / "snapshot.json"
        snapshot.write_text(snapshot.read_text().replace("j-SNAP", cluster))
        found.append(audit(*options, checks=USERS, into=f"reports-{cluster}"))
    assert [one.code for one in found] == [1, 0]
    latest = [one.folder / "latest" for one in found]
    told = json.loads((latest[0] / "run.json").read_text())
    assert (told["clusters"], told["exit_code"], told["round_trips"]) == (["j-B"], 1, {"docker exec": 1})
    assert told["head"] in found[0].text

    out = tmp_path / "out" / "fleet"
    code, said, _ = hubspec("merge", *latest, "-o", out, "--report", "all", "--metrics", tmp_path / "hubspec.prom")

    assert (code, hubspec("verify", out)[0], hubspec("verify", out / "clusters" / "j-A")[0]) == (1, 0, 0)
    assert said.startswith("2 clusters\n7 compliant, 1 drifted\ndrifted: 1 high\n")
    assert said.endswith(f"\nreport: {out / 'report.html'}\n")
    assert {path.name for path in out.parent.iterdir()} == {"fleet"}
    assert {one.file for one in FORMATS.values()} <= {path.name for path in out.iterdir()}
    for file in ("report.html", "junit.xml", "ocsf.json", "report.sarif", "oscal-assessment-results.json", "hdf.json", "records.csv", "summary.md"):  # fmt: skip
        text = (out / file).read_text()
        assert "j-A" in text, file
        assert "j-B" in text, file
    records = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    assert [one["cluster"] for one in records] == ["j-A"] * 4 + ["j-B"] * 4
    assert samples(tmp_path / "hubspec.prom")["hubspec_clusters", ()] == 2


WRONG = [
    # options, and what is said of them
    (["--report", "htlm"], "--report: there is no format 'htlm'; did you mean 'html'?"),
    (["-o", "{tmp}/full"], "it is there already; a merged report takes a folder of its own"),
    (["-o", "{tmp}/a/run.json"], "it is there already; a merged report takes a folder of its own"),
    (["--notify", "mailto://me:secret@host"], "holds a password or a token in a URL"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_wrong_use_is_told_before_anything_is_done(
    tmp_path: Path, hubspec: Said, options: list[str], said: str
) -> None:
    leave(tmp_path / "a", one_of("j-A"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    wrong = [one.format(tmp=tmp_path) for one in options]
    code, _, told = hubspec("merge", tmp_path / "a", "-o", tmp_path / "out", *wrong)
    assert (code, said in told, "secret@" in told) == (4, True, False), told
    assert {path.name for path in tmp_path.iterdir()} == {"a", "full"}


def test_a_full_disk_leaves_nothing_and_is_told(tmp_path: Path) -> None:
    parts = [leave(tmp_path / f"p{i}", one_of(f"j-{i}", *["drifted"] * 40)) for i in range(3)]
    room = max(path.stat().st_size for part in parts for path in part.iterdir()) + 4096

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    command = [sys.executable, "-m", "hubspec", "merge", *parts, "-o", tmp_path / "out"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=small)
    assert done.returncode == 11, done.stderr
    assert "cannot be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {part.name for part in parts}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_that_is_interrupted_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    part = leave(tmp_path / "a", one_of("j-A"))
    os.mkfifo(tmp_path / "never")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "run.json").symlink_to(tmp_path / "never")  # who reads it waits
    command = [sys.executable, "-m", "hubspec", "merge", part, tmp_path / "b", "-o", tmp_path / "out"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as merging:
        assert merging.stderr is not None
        assert merging.stderr.readline().startswith("1 of 2: ")
        merging.send_signal(number)
        _, said = merging.communicate(timeout=60)
    assert (merging.returncode, said) == (130, "hubspec: interrupted\n")
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "never"}


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen: apt-get install openssh-client")
def test_a_merged_report_is_signed(tmp_path: Path, hubspec: Said) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key", "-C", "ana"], check=True)
    (tmp_path / "signers").write_text(f"ana {(tmp_path / 'key.pub').read_text()}")
    part = leave(tmp_path / "a", one_of("j-A"))
    assert hubspec("merge", part, "-o", tmp_path / "out", "--sign-key", tmp_path / "key")[0] == 0
    code, said, _ = hubspec("verify", tmp_path / "out", "--allowed-signers", tmp_path / "signers")
    assert (code, "signed by ana" in said) == (0, True)
