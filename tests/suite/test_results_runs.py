"""Results of runs as a user has them: where they go, what stays here, the exit code; on full disks, with clocks that jump, at once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from snapshots import user, write

from hubspec.__main__ import main
from tests import small_disk
from tests.conftest import ROOT, Audit, Run
from tests.unit.aws_server import Refusal, serving

USERS = "checks/test_users.py"
LOCKED = user(1001) | {"unread": {"locked": "no shadow"}}
ENDS = [
    # what is there, and the exit code of the audit itself
    ({}, 0),
    ({"diego": user(7)}, 1),
    ({"diego": LOCKED}, 11),
]


def places(run: Run) -> list[str]:
    """Return the lines that say where the results are, and where not."""
    lines = run.text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("results: "))
    return lines[start:]


@pytest.mark.parametrize(("users", "own"), ENDS)
def test_what_could_not_be_brought_is_kept_and_brought_later(
    audit: Audit, tmp_path: Path, capsys: pytest.CaptureFixture[str], users: dict[str, Any], own: int
) -> None:
    asked = write(tmp_path, **users)
    place = tmp_path / "place"
    place.write_text("a file is in the way")
    run = audit(*asked, "--results", str(place), checks=USERS)

    assert run.code == 20 + own
    (kept,) = (run.folder / "unsent").iterdir()
    assert places(run) == [
        f"results: NOT in {place}: {place} cannot be written: Not a directory",
        f"this run is kept in {kept}; to bring it: python -m hubspec upload {kept} {place}",
        f"exit code {20 + own}: 20 for that, and {own} of the audit itself",
    ]
    assert main(["upload", str(kept), str(place)]) == 20
    assert "was not brought" in capsys.readouterr().err

    place.unlink()
    later = audit(*write(tmp_path), "--results", str(place), checks=USERS)
    assert later.code == 0
    assert places(later)[1:] == [
        f"notice: 1 earlier run is still here: python -m hubspec upload {kept} {place}",
    ]
    newest = json.loads((place / "latest.json").read_text())
    assert main(["upload", str(kept), str(place)]) == 0
    assert json.loads((place / "latest.json").read_text()) == newest, "an older run is not the newest"
    assert main(["verify", str(place / "runs" / kept.name)]) == 0
    assert json.loads((place / "runs" / kept.name / "run.json").read_text())["exit_code"] == own
    assert len(list((place / "runs").iterdir())) == 2


S3 = [
    # what S3 answers to an object, by how much its clock is ahead, what is said
    (Refusal("AccessDenied", "not you"), 0, "AWS refuses PutObject: allow s3:PutObject (not you)"),
    (Refusal("NoSuchBucket", "gone"), 0, "AWS refused PutObject: NoSuchBucket: gone"),
    (Refusal("RequestTimeTooSkewed", "late"), 3600, "the clock of this machine is 60 minutes behind"),
]


@pytest.mark.parametrize(("answer", "ahead", "said"), S3)
def test_s3_that_refuses_costs_nothing_but_the_exit_code(
    audit: Audit, tmp_path: Path, answer: Refusal, ahead: float, said: str
) -> None:
    quiet = Refusal("AccessDenied")
    answers = {"GetPublicAccessBlock": [quiet], "GetBucketPolicyStatus": [quiet], "PutObject": [answer]}
    with serving(answers, ahead) as (variables, _asked):
        asked = (*write(tmp_path, diego=user(7)), "--results", "s3://audits/nights/")
        run = audit(*asked, checks=USERS, env=dict(variables))
    assert run.code == 21
    assert said in places(run)[0]
    assert (run.folder / "latest" / "report.html").is_file()
    assert len(list((run.folder / "unsent").iterdir())) == 1


def test_a_run_is_in_s3_when_it_ends(audit: Audit, tmp_path: Path) -> None:
    quiet = Refusal("AccessDenied")
    answers = {"GetPublicAccessBlock": [quiet], "GetBucketPolicyStatus": [quiet], "PutObject": [""]}
    with serving(answers) as (variables, asked):
        env = dict(variables) | {"HUBSPEC_RESULTS": "s3://audits/nights/"}
        run = audit(*write(tmp_path, diego=user(7)), checks=USERS, env=env)
    assert run.code == 1
    keys = [given["Key"] for call, given in asked if call == "PutObject"]
    name = json.loads(next(given["Body"] for _, given in asked if given["Key"].endswith("latest.json")))["report"]
    assert places(run) == [f"results: s3://audits/nights/{name}"]
    there = [one.relative_to(run.folder / "latest") for one in (run.folder / "latest").rglob("*") if one.is_file()]
    assert sorted(keys[:-1]) == sorted(f"/audits/nights/{name}{one}" for one in there)
    assert not (run.folder / "unsent").exists()


MEANT = [
    (["--results", "ftp://audits/"], "--results: wanted a folder or s3://BUCKET/PREFIX/"),
    (["--results", "s3:/audits"], "--results: wanted a folder or s3://BUCKET/PREFIX/"),
    (["--results", "s3://ADA:hunter2@audits/"], "--results"),
    (["--results-kms-key", "k"], "--results-kms-key: is for --results s3://BUCKET/PREFIX/"),
    (["--results", "there", "--results-deadline", "soon"], "--results-deadline: wanted a number of seconds"),
]


@pytest.mark.parametrize(("options", "said"), MEANT)
def test_what_cannot_be_meant_is_said_before_anything_is_looked_at(
    audit: Audit, tmp_path: Path, options: list[str], said: str
) -> None:
    run = audit(*write(tmp_path), *options, checks=USERS)
    assert run.code == 4
    assert said in run.text
    assert "hunter2" not in run.text


def test_two_jobs_at_once_with_one_folder_one_history_and_one_place(audit: Audit, tmp_path: Path) -> None:
    asked = write(tmp_path, diego=user(7))
    history, place = tmp_path / "history", tmp_path / "place"

    def one(_number: int) -> Run:
        return audit(*asked, "--history", str(history), "--results", str(place), checks=USERS)

    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(one, range(4)))
    assert [run.code for run in runs] == [1] * 4, runs[0].text
    named = {places(run)[0].removeprefix("results: ") for run in runs}
    assert named == {f"{one}/" for one in (place / "runs").iterdir()}
    for folder in (*named, runs[0].folder / "latest"):
        assert main(["verify", str(folder)]) == 0
    assert f"{place}/{json.loads((place / 'latest.json').read_text())['report']}" in named
    assert len(list(history.iterdir())) == 4
    assert sorted(one.name for one in runs[0].folder.iterdir()) == ["latest"], "nothing is left beside it"


FULL = [
    # size of the disk, a file that there is room for, and one that there is not
    ("8k", "", "records.jsonl"),
    ("40k", "records.jsonl", "report.html"),
]


@pytest.mark.parametrize(("size", "there", "lacking"), FULL)
def test_a_full_disk_costs_the_report_and_never_the_result(tmp_path: Path, size: str, there: str, lacking: str) -> None:
    """On a small disk of its own, which is gone with the namespace that it is mounted in."""
    asked = write(tmp_path, diego=user(7))
    disk, seen, place = (tmp_path / name for name in ("disk", "seen", "place"))
    disk.mkdir()
    audit = [sys.executable, "-m", "pytest", USERS, *asked, "--reports", str(disk), "--history", str(disk / "history")]
    plain = ["--results", str(place), "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    done = subprocess.run(
        small_disk.command(size, disk, seen, [*audit, *plain]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    text = done.stdout + done.stderr
    assert done.returncode == 21, text
    assert f"{lacking} was not written: No space left on device" in text
    assert "manifest.json was not written: No space left on device; nothing vouches for this report" in text
    assert "user diego differs in uid" in text
    assert f"results: NOT in {place}: {disk}/latest holds no report of a run" in text
    left = {one.name for one in (seen / "latest").iterdir()}
    assert not {lacking, "manifest.json"} & left, "no half of a file"
    assert set(filter(None, [there])) <= left
    assert not place.exists()


CLOCK = """
import os
from datetime import datetime

import pytest
import time_machine

first, then = map(datetime.fromisoformat, os.environ["CLOCK"].split())
clock = time_machine.travel(first).start()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    clock.move_to(then)
"""
JUMPS = [
    # when the run begins, and what the clock says at its end
    ("2026-03-04T23:59:59+00:00", "2026-03-05T00:00:01+00:00"),
    ("2026-03-05T00:00:01+00:00", "2026-03-04T23:00:00+00:00"),
    ("2026-03-04T12:00:00+00:00", "2031-01-01T00:00:00+00:00"),
]


@pytest.mark.parametrize("jump", JUMPS)
def test_whatever_the_clock_does_a_run_is_one_and_ends_after_it_began(
    audit: Audit, tmp_path: Path, jump: tuple[str, str]
) -> None:
    (tmp_path / "clock.py").write_text(CLOCK)
    place = tmp_path / "place"
    env = {"PYTHONPATH": str(tmp_path), "CLOCK": " ".join(jump)}
    asked = (*write(tmp_path, diego=user(7)), "--results", str(place), "--report", "all", "--history", str(place / "h"))
    run = audit("-p", "clock", *asked, checks=USERS, env=env)

    assert run.code == 1, run.text
    began = datetime.fromisoformat(jump[0])
    (name,) = (one.name for one in (place / "runs").iterdir())
    assert name.startswith(f"{began:%Y%m%dT%H%M%SZ}-")
    told = json.loads((place / "runs" / name / "run.json").read_text())
    took = (datetime.fromisoformat(told["finished"]) - datetime.fromisoformat(told["started"])).total_seconds()
    assert 0 < took < 100
    assert json.loads((place / "runs" / name / "hdf.json").read_text())["statistics"]["duration"] >= 0
    assert main(["verify", str(place / "runs" / name)]) == 0


def test_an_interrupted_run_is_brought_with_what_it_has(audit: Audit, tmp_path: Path) -> None:
    checks = tmp_path / "own"
    checks.mkdir()
    (checks / "test_later.py").write_text("import os, signal\n\ndef test_x(): os.kill(os.getpid(), signal.SIGINT)\n")
    run = audit(*write(tmp_path), "--results", str(tmp_path / "place"), str(checks), checks=USERS)
    shutil.rmtree(checks)
    assert run.code == 2, run.text
    pointer = json.loads((tmp_path / "place" / "latest.json").read_text())
    assert pointer["exit_code"] == 2


def test_what_is_joined_of_runs_goes_there_too(
    audit: Audit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = audit(*write(tmp_path, diego=user(7)), checks=USERS)
    latest, place = str(run.folder / "latest"), tmp_path / "place"
    assert main(["merge", latest, "-o", str(tmp_path / "one"), "--results", str(place)]) == 1
    name = json.loads((place / "latest.json").read_text())["report"]
    assert f"results: {place}/{name}" in capsys.readouterr().out
    assert main(["verify", str(place / name)]) == 0

    (tmp_path / "file").write_text("")
    two = str(tmp_path / "two")
    assert main(["merge", latest, "-o", two, "--results", str(tmp_path / "file")]) == 21
    assert f"python -m hubspec upload {two} {tmp_path}/file" in capsys.readouterr().out
    assert main(["upload", two, str(place)]) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_while_it_brings_its_results_has_kept_them(tmp_path: Path, number: signal.Signals) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hang(_given: dict[str, Any]) -> Refusal:
        begun.set()
        go_on.wait(20)
        return Refusal("InternalError")

    quiet = Refusal("AccessDenied")
    asked = write(tmp_path, diego=user(7))
    command = [
        sys.executable,
        "-m",
        "pytest",
        USERS,
        *asked,
        "--reports",
        str(tmp_path / "reports"),
        "--report",
        "junit",
    ]
    answers = {"GetPublicAccessBlock": [quiet], "GetBucketPolicyStatus": [quiet], "PutObject": [hang]}
    with serving(answers) as (variables, _asked):
        env = {**os.environ, **variables, "HUBSPEC_RESULTS": "s3://audits/nights/"}
        plain = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
        with subprocess.Popen([*command, *plain], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as run:
            try:
                assert begun.wait(60)
                run.send_signal(number)
            finally:
                go_on.set()
            text, _ = run.communicate(timeout=60)
    assert run.returncode == 21, text
    assert "it was interrupted" in text
    (kept,) = (tmp_path / "reports" / "unsent").iterdir()
    assert main(["verify", str(kept)]) == 0
    assert main(["upload", str(kept), str(tmp_path / "place")]) == 0


def test_a_fleet_brings_its_one_report_and_its_audits_bring_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = write(tmp_path, diego=user(7))
    place, reports = tmp_path / "place", tmp_path / "reports"
    monkeypatch.setenv("HUBSPEC_RESULTS", str(place))
    fleet = ["fleet", *asked, "--reports", str(reports), "--workers", "1"]
    assert main(fleet) == 1
    (name,) = (one.name for one in (place / "runs").iterdir())
    assert f"results: {place}/runs/{name}/" in capfd.readouterr().err
    assert main(["verify", str(place / "runs" / name)]) == 0
    assert (place / "runs" / name / "clusters" / "j-SNAP" / "report.html").is_file()
    assert json.loads((place / "latest.json").read_text())["clusters"] == ["j-SNAP"]

    shutil.rmtree(place)
    place.write_text("a file is in the way")
    assert main(fleet) == 21
    (kept,) = (reports / "unsent").iterdir()
    assert f"python -m hubspec upload {kept} {place}" in capfd.readouterr().err
    place.unlink()
    assert main(["upload", str(kept), str(place)]) == 0

    shutil.rmtree(place)
    assert main([*fleet, "--results", "none"]) == 1
    assert not place.exists()
