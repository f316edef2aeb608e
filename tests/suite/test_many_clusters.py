"""Several clusters, side by side: those that hang, are gone or do not exist cost the others nothing, and Ctrl-C ends the run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubspec.plan import Plan
from tests import many_hubs
from tests.accounts import Account, Cluster, serving
from tests.conftest import ROOT, Audit, Run
from tests.many_hubs import Hubs, addresses

CHECKS = "checks/test_hub_users.py"
CANARY = "canary-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
BASELINE = """
controls:
  USR-01: {kind: user, title: Accounts are as declared, severity: high, why: They log in., tags: {}}
  HUB-01: {kind: hub_user, title: Users are as declared, severity: high, why: They log in., tags: {}}
users:
  jovyan: {uid: 1000}
hub_users:
  jovyan: {admin: true}
"""


def clusters(hubs: Hubs) -> list[Cluster]:
    return [Cluster(f"j-{number:03}", f"hub {number}", host=host) for number, host in enumerate(hubs.addresses)]


def environment(account: Account, hubs: Hubs, folder: Path) -> dict[str, str | None]:
    (folder / "baseline.yaml").write_text(BASELINE)
    return account.variables | {
        "HUBSPEC_BASELINE": str(folder / "baseline.yaml"),
        "HUBSPEC_HUB_FINGERPRINT": hubs.fingerprint,
        "HUBSPEC_HUB_TOKEN": "0123456789abcdef0123456789abcdef",
    }


def read_in(run: Run) -> float:
    found = re.search(r"clusters read, \d+ of them not wholly, in ([\d.]+) s", run.text)
    assert found, run.text
    return float(found[1])


def test_of_300_clusters_20_hang(audit: Audit, tmp_path: Path) -> None:
    here = addresses(300)
    silent = set(here[5:300:15])
    with many_hubs.serving(Hubs(here, silent), tmp_path) as hubs, serving(Account(clusters(hubs))) as account:
        run = audit("--cluster", "all", "--deadline", "3", checks=CHECKS, env=environment(account, hubs, tmp_path))

    assert run.code == 11, run.text[-2000:]
    assert run.outcomes() == {"compliant": 280, "unreadable": 20}
    assert {int(record["cluster"][2:]) % 15 for record in run.records if record["outcome"] == "unreadable"} == {5}
    assert re.search(r"\d+ of 300 clusters read, \d+ of them not wholly; \d+ left: j-", run.text)
    assert read_in(run) < 40, "one after the other, those that hang take 60 s alone"


def test_one_that_is_gone_ended_or_unknown_costs_the_others_nothing(audit: Audit, tmp_path: Path) -> None:
    with many_hubs.serving(Hubs(addresses(2)), tmp_path) as hubs:
        ended = Cluster("j-ENDED", state="TERMINATED", host=hubs.addresses[0])
        nowhere = Cluster("j-DARK", host="no-such-host.invalid")
        refused = {("j-001", "us-east-1"): "AccessDeniedException"}
        with serving(Account([*clusters(hubs), ended, nowhere], refused)) as account:
            words = [part for name in ("j-000", "j-001", "j-ENDED", "j-DARK", "j-NONE") for part in ("--cluster", name)]
            run = audit(*words, "--deadline", "3", checks=CHECKS, env=environment(account, hubs, tmp_path))

    assert run.code == 11, run.text
    told = {record["cluster"]: (record["outcome"], record["message"]) for record in run.records}
    assert told["j-000"][0] == "compliant"
    assert "allow elasticmapreduce:DescribeCluster" in told["j-001"][1]
    assert "j-ENDED has ended: it is TERMINATED" in told["j-ENDED"][1]
    assert "no-such-host.invalid" in told["j-DARK"][1]
    assert "there is no cluster j-NONE in this account and region" in told["j-NONE"][1]
    assert {outcome for name, (outcome, _) in told.items() if name != "j-000"} == {"unreadable"}
    assert "j-NONE: could not be read: there is no cluster" in run.text


def test_every_report_tells_the_clusters_apart(audit: Audit, tmp_path: Path) -> None:
    with many_hubs.serving(Hubs(addresses(2)), tmp_path) as hubs, serving(Account(clusters(hubs))) as account:
        run = audit("--cluster", "all", checks=CHECKS, env=environment(account, hubs, tmp_path))

    assert run.code == 0, run.text
    assert sorted(record["test"].rpartition("::")[2] for record in run.records) == [
        "test_declared[j-000-jovyan]",
        "test_declared[j-001-jovyan]",
    ]
    junit = (run.folder / "latest" / "junit.xml").read_text()
    html = (run.folder / "latest" / "report.html").read_text()
    results = (run.folder / "latest" / "allure-results").glob("*-result.json")
    allure = [json.loads(path.read_text()) for path in results]
    for name in ("j-000", "j-001"):
        assert f'name="{name}.hub_user"' in junit
        assert f'classname="{name}.hub_user"' in junit
        assert f">{name}<" in html
        (result,) = (one for one in allure if one["name"].startswith(f"{name}: "))
        assert {"name": "cluster", "value": name} in result["labels"]


NIGHTLY = """
cluster = "all"
region = ["us-east-1"]
deadline = 20
hub-fingerprint = "{fingerprint}"
baseline = "baseline.yaml"

[[clusters]]
match = "name:hub 1"
hub-url = "https://{other}:9443"
hub-token-file = "of-the-other"

[[clusters]]
match = "tag:team=of-nobody"
door = "ssm"
"""


def test_a_nightly_job_has_one_line(audit: Audit, tmp_path: Path) -> None:
    with many_hubs.serving(Hubs(addresses(3)), tmp_path) as hubs, serving(Account(clusters(hubs)[:2])) as account:
        env = {**environment(account, hubs, tmp_path), "HUBSPEC_BASELINE": None, "HUBSPEC_HUB_FINGERPRINT": None}
        (tmp_path / "of-the-other").write_text("fedcba9876543210fedcba9876543210")
        (tmp_path / "nightly.toml").write_text(NIGHTLY.format(fingerprint=hubs.fingerprint, other=hubs.addresses[2]))
        env["HUBSPEC_CONFIG"] = str(tmp_path / "nightly.toml")
        run = audit(checks=CHECKS, env=env)
        by_id = audit("--cluster", "j-001", "--hub-url", f"https://{hubs.addresses[2]}:9443", checks=CHECKS, env=env)

    assert run.code == by_id.code == 0, run.text + by_id.text
    assert (
        "settings: cluster, region, baseline, hub-fingerprint, deadline (nightly.toml); reports (command line); hub token (HUBSPEC_HUB_TOKEN)"
        in run.text
    ), run.text
    assert "settings of j-001: hub-url, hub-token-file (nightly.toml, name:hub 1)" in run.text
    assert "settings for none of these clusters: nightly.toml, tag:team=of-nobody" in run.text
    assert "settings of j-001: hub-token-file (nightly.toml, name:hub 1)" in by_id.text, "the command line says another"
    assert "for none of these" not in by_id.text
    assert hubs.asked == {hubs.addresses[0]: 1, hubs.addresses[2]: 2}
    assert [record["cluster"] for record in by_id.records] == ["j-001"]


def test_settings_that_are_none_end_the_run(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(f'dor = "ssh"\nhub-token = "{CANARY}"\n')
    env = {"HUBSPEC_FAILON": "new", "HUBSPEC_HISTORY": f"https://u:{CANARY}@h/"}
    run = audit("--hubspec-config", str(tmp_path / "mine.toml"), checks=CHECKS, env=env)

    assert (run.code, run.records) == (4, [])
    assert "the settings have 4 faults:" in run.text
    assert "HUBSPEC_FAILON: unknown setting; did you mean 'HUBSPEC_FAIL_ON'?" in run.text
    assert "mine.toml: dor: unknown setting; did you mean 'door'?" in run.text
    assert CANARY not in run.text


@pytest.mark.parametrize(
    ("args", "env", "sentence"),
    [
        (["--door", "docker"], {}, "2 clusters would be read through --door docker and the container jupyterhub, and that is one Docker engine"),
        ([], {"DOCKER_HOST": "tcp://127.0.0.1:1"}, "2 clusters would be read through DOCKER_HOST"),
        (["--hub-url", "https://hub:9443"], {}, "2 clusters would be read through https://hub:9443, and that is the address of one hub"),
        (["--remediate", "{folder}/plan.json"], {}, "plan.json: a plan is for one cluster; give one --cluster at a time"),
    ],
)  # fmt: skip
def test_what_only_one_cluster_can_have_is_not_shared(
    audit: Audit, args: list[str], env: dict[str, str | None], sentence: str, tmp_path: Path
) -> None:
    made = datetime.now(UTC)
    plan = Plan(run="r", cluster="j-A", made=made, baseline="b.yaml", entries=[])
    (tmp_path / "plan.json").write_text(plan.model_dump_json())
    words = [word.replace("{folder}", str(tmp_path)) for word in args]
    run = audit("--cluster", "j-A", "--cluster", "j-B", *words, checks=CHECKS, env=env)

    assert (run.code, run.records) == (4, [])
    assert sentence in run.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_a_run_of_which_20_hang(number: signal.Signals, tmp_path: Path) -> None:
    here = addresses(20)
    with many_hubs.serving(Hubs(here, set(here)), tmp_path) as hubs, serving(Account(clusters(hubs))) as account:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("HUBSPEC_", "AWS_", "PYTEST_"))}
        command = [sys.executable, "-u", "-m", "pytest", CHECKS, "--cluster", "all", "--reports", str(tmp_path / "r")]
        variables = {key: value for key, value in environment(account, hubs, tmp_path).items() if value}
        with subprocess.Popen(
            [*command, "-p", "no:cacheprovider"], cwd=ROOT, env=clean | variables, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            said = next(line for line in process.stdout if "0 of 20 clusters read" in line)
            began = time.monotonic()
            process.send_signal(number)
            rest = process.stdout.read()
            code = process.wait(30)
            took = time.monotonic() - began

    assert "20 left: j-000, j-001, j-002 and 17 more" in said
    assert code == 2, rest
    assert took < 20, "the deadline is 60 s"
