"""Who is told how a run ended, and its figures, as a user sees them: night after night, and when nobody can be told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from snapshots import user, write

from tests import fleets
from tests.accounts import Account, Cluster, serving
from tests.conftest import ROOT, Audit, Run
from tests.receiver import SECRET, Receiver, receiving
from tests.samples import samples

USERS = "checks/test_users.py"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


class Nights:
    """Audits of one cluster, night after night, each told to the receiver."""

    def __init__(self, audit: Audit, folder: Path, receiver: Receiver) -> None:
        self.audit, self.folder, self.night, self.receiver = audit, folder, 0, receiver
        self.people = folder / "people.yml"
        self.metrics = folder / "hubspec.prom"
        self.write(receiver.url())

    def write(self, *urls: str) -> None:
        self.people.write_text("urls:\n" + "".join(f"  - {url}\n" for url in urls))

    def __call__(self, *options: str, into: str = "reports", cluster: str = "j-SNAP", **users: Any) -> Run:
        self.night += 1
        snapshot = write(self.folder, **users)
        path = self.folder / "snapshot.json"
        document = json.loads(path.read_text())
        document["cluster"] = cluster
        document["kinds"]["user"]["started"] = f"2026-01-{self.night:02}T03:00:00+00:00"
        path.write_text(json.dumps(document))
        places = (
            "--history",
            str(self.folder / "history"),
            "--notify",
            str(self.people),
            "--metrics",
            str(self.metrics),
        )
        return self.audit(*snapshot, *places, *options, checks=USERS, into=into)


@pytest.fixture
def nights(audit: Audit, tmp_path: Path, receiver: Receiver) -> Nights:
    return Nights(audit, tmp_path, receiver)


def nowhere(run: Run) -> None:
    """Assert that the secret of the addresses is in nothing that a run leaves."""
    assert SECRET not in run.text
    assert [
        path.name for path in run.folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
    ] == []


def test_one_message_for_what_changed_and_none_for_a_night_like_the_last(nights: Nights) -> None:
    told = nights.receiver.messages
    first = nights("--report-link", "https://reports.example/{run}/report.html", diego=user(7))
    assert first.code == 1
    assert len(told) == 1
    assert told[0]["title"] == "hubspec, j-SNAP: Not compliant, 1 new"
    assert told[0]["type"] == "failure"
    assert "### Drifted (1)\n\n- **high, new** `USR-01` `user diego` on `j-SNAP`: " in told[0]["message"]
    assert f"\nReport: https://reports.example/{first.records[0]['run']}/report.html\n" in told[0]["message"]
    nowhere(first)

    assert nights(diego=user(7)).code == 1
    assert len(told) == 1, "what is still so is told to nobody"
    assert nights("--notify-on", "new,always", diego=user(7)).code == 1
    assert told[1]["title"] == "hubspec, j-SNAP: Not compliant"
    assert "Since the last run: nothing new, nothing fixed." in told[1]["message"]

    assert nights("--notify-on", "never", diego=user(7)).code == 1
    assert len(told) == 2

    more = nights(diego=user(7), ana=user(8))
    assert "### New drift (1)\n\n- **high, new** `USR-01` `user ana` on " in told[2]["message"], (
        "and not diego's, which is known"
    )
    assert "diego" not in told[2]["message"]
    assert samples(nights.metrics)["hubspec_changes", ("new",)] == 1
    assert more.code == 1

    good = nights()
    assert good.code == 0
    assert told[3]["title"] == "hubspec, j-SNAP: Compliant, 2 fixed"
    assert told[3]["type"] == "success"
    assert len(told) == 4


def test_the_time_of_the_last_good_run_outlives_bad_ones(nights: Nights) -> None:
    mask = os.umask(0o077)
    try:
        nights("--notify-on", "always")
    finally:
        os.umask(mask)
    first = samples(nights.metrics)
    assert nights.metrics.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in nights.folder.iterdir() if "prom" in path.name] == ["hubspec.prom"]
    assert first["hubspec_checks", ("compliant", "high")] == 2
    assert first["hubspec_round_trips", ("docker exec",)] == 1
    good = first["hubspec_last_good_run_timestamp_seconds", ()]
    assert (
        good == first["hubspec_last_compliant_run_timestamp_seconds", ()] == first["hubspec_run_timestamp_seconds", ()]
    )

    assert nights(diego=user(7)).code == 1
    drifted = samples(nights.metrics)
    assert drifted["hubspec_last_compliant_run_timestamp_seconds", ()] == good
    assert drifted["hubspec_last_good_run_timestamp_seconds", ()] == drifted["hubspec_run_timestamp_seconds", ()] > good

    assert nights(diego=user(1001) | {"unread": {"locked": "no shadow"}}).code == 11
    blind = samples(nights.metrics)
    assert blind["hubspec_last_compliant_run_timestamp_seconds", ()] == good
    assert blind["hubspec_last_good_run_timestamp_seconds", ()] == drifted["hubspec_run_timestamp_seconds", ()]
    assert blind["hubspec_run_exit_code", ()] == 11
    assert "### Clusters with something that could not be looked at (1)" in nights.receiver.messages[-1]["message"]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("503", "--notify: nobody was told: service 1 (JSON) answered 503"),
        ("slow", "--notify: nobody was told: service 1 (JSON) did not answer in time"),
    ],
)
def test_who_cannot_be_told_changes_nothing_of_the_result(nights: Nights, answer: str, sentence: str) -> None:
    nights.write(nights.receiver.url(answer))
    run = nights("--notify-deadline", "1", "--report", "markdown,html", "-vv", "--log-level", "DEBUG", diego=user(7))
    assert run.code == 1
    assert f"notice: {sentence}\n" in run.text
    assert sentence in (run.folder / "latest" / "summary.md").read_text()
    nowhere(run)


def test_a_report_that_was_not_written_is_in_the_message(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    (nights.folder / "broken.py").write_text(
        "from hubspec.report import sarif\nsarif.render = lambda records, run: 1 / 0\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(nights.folder))
    assert nights("-p", "broken", "--report", "sarif", diego=user(7)).code == 1
    (told,) = nights.receiver.messages
    assert "- `report.sarif was not written: ZeroDivisionError: division by zero`" in told["message"]


def test_no_people_and_no_place_for_figures_cost_two_sentences(nights: Nights) -> None:
    nights.people.unlink()
    nights.metrics.mkdir()
    (nights.metrics / "theirs").touch()
    run = nights("--report", "markdown")
    assert run.code == 0
    assert (
        f"notice: --notify: nobody was told: {nights.people} cannot be read: No such file or directory\n"
        not in run.text
    )
    assert (
        f"notice: --metrics: {nights.metrics} cannot be read: Is a directory; the figures of this run are not in it\n"
        in run.text
    )
    assert (nights.metrics / "theirs").exists()
    bad = nights("--report", "markdown", diego=user(7))
    assert bad.code == 1
    assert f"notice: --notify: nobody was told: {nights.people} cannot be read: No such file or directory\n" in bad.text


def test_parts_that_are_joined_are_told_of_once(nights: Nights) -> None:
    parts = []
    for cluster, users in (("j-ONE", {"diego": user(7)}), ("j-TWO", {"mallory": user(1666)})):
        nights("--notify-on", "never", "--report", "csv", into=cluster, cluster=cluster, **users)
        parts.append(str(nights.folder / cluster / "latest"))
    assert nights.receiver.messages == []
    done = subprocess.run(
        [sys.executable, "-m", "hubspec", "merge", *parts, "-o", str(nights.folder / "all"), "--report", "csv",
         "--notify", str(nights.people), "--metrics", str(nights.metrics)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (told,) = nights.receiver.messages
    assert told["title"] == "hubspec, 2 clusters: Not compliant, 2 new"
    assert "`USR-01` `user diego` on `j-ONE`" in told["message"]
    assert "on `j-TWO`" in told["message"]
    figures = samples(nights.metrics)
    assert figures["hubspec_clusters", ()] == 2
    assert {figures["hubspec_cluster_checks", (cluster, "drifted")] for cluster in ("j-ONE", "j-TWO")} == {1}


def test_a_fleet_is_told_of_once(tmp_path: Path, receiver: Receiver) -> None:
    figures = tmp_path / "hubspec.prom"
    options = (*fleets.saved(tmp_path, 3, 1), "--metrics", str(figures), "--history", "none", "--report", "csv")
    env = {"HUBSPEC_NOTIFY_URLS": receiver.url()}
    begun = fleets.begin(tmp_path / "r", *options, "--", "checks/test_users.py", "-p", "no:hypothesispytest", env=env)
    run = fleets.ended(begun, tmp_path / "r")
    assert run.code == 1, run.text
    (told,) = receiver.messages
    assert told["title"] == "hubspec, 3 clusters: Not compliant"
    assert "### Drifted (1)\n\n- **high** `USR-01` `user ana` on `j-F001`: " in told["message"]
    assert samples(figures)["hubspec_clusters", ()] == 3
    nowhere(run)


def test_a_fleet_that_could_not_be_looked_for_is_told_of(tmp_path: Path, receiver: Receiver) -> None:
    refused = {("ListClusters", "us-east-1"): "AccessDeniedException"}
    with serving(Account([Cluster("j-A", "blue")], refused)) as account:
        env = dict(account.variables) | {"HUBSPEC_NOTIFY_URLS": receiver.url()}
        run = fleets.ended(fleets.begin(tmp_path / "r", "--cluster", "all", env=env), tmp_path / "r")
    assert run.code == 11, run.text
    (told,) = receiver.messages
    assert told["title"] == "hubspec, all: Compliance not shown"
    assert "allow elasticmapreduce:ListClusters" in told["message"]


EARLY = [
    # --cluster, what AWS refuses, the baseline, the exit code, the reason
    ("name:blue", {("ListClusters", "us-east-1"): "AccessDeniedException"}, "", 11, "allow elasticmapreduce:ListClusters"),
    ("j-GONE", {}, "", 4, "there is no cluster j-GONE in this account"),
    ("j-A", {}, "usrs: {}", 4, "baseline.yaml:1"),
]  # fmt: skip


@pytest.mark.parametrize("early", EARLY)
def test_a_night_that_ends_before_its_first_check_is_told_with_the_reason(
    audit: Audit, tmp_path: Path, receiver: Receiver, early: tuple[str, dict[tuple[str, str], str], str, int, str]
) -> None:
    cluster, refused, baseline, code, reason = early
    figures, file = tmp_path / "hubspec.prom", tmp_path / "baseline.yaml"
    file.write_text(baseline)
    options = ["--cluster", cluster, "--metrics", str(figures), "--report-link", "https://reports.example/"]
    options += ["--baseline", str(file)] if baseline else []
    with serving(Account([Cluster("j-A", "blue")], refused)) as account:
        env = dict(account.variables) | {"HUBSPEC_NOTIFY_URLS": receiver.url()}
        run = audit(*options, checks="checks/test_cluster.py", env=env)
    assert run.code == code
    (told,) = receiver.messages
    assert told["title"] == f"hubspec, {cluster}: Compliance not shown"
    assert told["type"] == "warning"
    assert "### To know (1)\n\n- `" in told["message"]
    assert reason in told["message"]
    assert "reports.example" not in told["message"], "there is no report of this run"
    assert samples(figures)["hubspec_run_exit_code", ()] == code
    nowhere(run)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--notify", f"slack://{SECRET}/{SECRET}"), "--notify: wanted a file of Apprise."),
        (("--notify-on", "new,fixd"), "--notify-on: wanted new, fixed, blind, always, never, with commas; found fixd"),
        (("--notify-deadline", "soon"), "--notify-deadline: wanted a number of seconds"),
        (("--report-link", f"https://ada:{SECRET}@h/x"), "--report-link: holds a password or a token in a URL"),
        (("--report-link", "reports/latest"), "--report-link: wanted an address, https://HOST/PATH"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_done(
    audit: Audit, tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    run = audit(*write(tmp_path), *options, checks=USERS)
    assert run.code == 4
    assert sentence in run.text
    nowhere(run)
