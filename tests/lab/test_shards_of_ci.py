"""The night of GitHub's workflow and of GitLab's pipeline: their own scripts, over the lab, with what each keeps for the next job."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emr
import pytest
import yaml

from hubspec.__main__ import main
from lab import breaks
from lab.breaks import aws
from lab.breaks.model import Scene
from tests.conftest import ROOT
from tests.receiver import SECRET, Receiver, receiving

PREFIX = "shards/"
SHARDS = 4


@dataclass
class Engine:
    """Runs scripts as these engines do, and keeps what they said; who is told, and what is brought, is the lab's."""

    on: Scene
    receiver: Receiver
    known: dict[str, str]
    said: str = ""

    def run(self, script: str, more: Mapping[str, str]) -> int:
        """Return the exit code of a script."""
        command = ["bash", "-e", "-o", "pipefail", "-c", script]
        env = {**self.known, **more}
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
        print(done.stdout + done.stderr)
        self.said += done.stdout + done.stderr
        return done.returncode

    def brought(self) -> list[str]:
        """Return what was brought to S3."""
        pages = aws.client(self.on, "s3").get_paginator("list_objects_v2").paginate(Bucket=emr.LOGS, Prefix=PREFIX)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def read(self, key: str) -> Any:
        """Return the JSON of an object."""
        return json.loads(aws.client(self.on, "s3").get_object(Bucket=emr.LOGS, Key=PREFIX + key)["Body"].read())


Night = Callable[[Engine, Path, str], tuple[list[int], Path]]


@pytest.fixture
def engine(on: Scene, tmp_path: Path) -> Iterator[Engine]:
    """Give an engine that knows the lab; no secret was said at the end, and what was brought is removed."""
    (tmp_path / "hubspec.toml").write_text(f'baseline = "{ROOT / on.lab.baseline}"\nreport = ["html", "junit"]\n')
    token = on.lab.token_file.read_text().strip()
    known = {name: value for name, value in os.environ.items() if not name.startswith(("HUBSPEC_", "AWS_", "PYTEST_"))}
    known |= {**on.lab.aws_env, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    known |= {"HUBSPEC_CONFIG": str(tmp_path / "hubspec.toml"), "HUBSPEC_CONTAINER_LABEL": on.lab.label}
    known |= {"HUBSPEC_HUB_URL": on.lab.hub_url, "HUBSPEC_HUB_FINGERPRINT": on.lab.hub_fingerprint}
    with receiving() as receiver:
        known |= {"HUBSPEC_HUB_TOKEN": token, "HUBSPEC_NOTIFY_URLS": receiver.url()}
        made = Engine(on, receiver, known)
        yield made
        assert not [secret for secret in (token, SECRET) if secret in made.said]
    brought = [{"Key": key} for key in made.brought()]
    if brought:
        aws.client(on, "s3").delete_objects(Bucket=emr.LOGS, Delete={"Objects": brought})


def github(engine: Engine, folder: Path, results: str) -> tuple[list[int], Path]:
    """Run a night of the workflow, and return the exit codes and the joined report; an artifact is a folder of its name."""
    jobs = yaml.safe_load((ROOT / "deploy" / "github" / "nightly.yml").read_text())["jobs"]
    (audit,) = [step for step in jobs["audit"]["steps"] if step.get("name", "").startswith("Audit")]
    (join,) = [step for step in jobs["merge"]["steps"] if step.get("name", "").startswith("Join")]
    assert jobs["audit"]["strategy"]["matrix"]["part"] == list(range(1, SHARDS + 1))
    assert set(audit["env"]) - {"HUBSPEC_CONFIG", "HUBSPEC_HUB_TOKEN"} == {"PART", "RESULTS", "HUBSPEC_REPORTS"}
    assert set(join["env"]) - {"HUBSPEC_CONFIG", "HUBSPEC_NOTIFY_URLS"} == {"RESULTS", "PARTS", "NIGHT"}
    codes = []
    for part in range(1, SHARDS + 1):
        runner = folder / f"runner-{part}"
        codes.append(engine.run(audit["run"], {"PART": str(part), "RESULTS": results, "HUBSPEC_REPORTS": str(runner)}))
        shutil.copytree(runner / "latest", folder / "parts" / f"part-{part}")
    into = {"PARTS": str(folder / "parts"), "NIGHT": str(folder / "night"), "RESULTS": results}
    return [*codes, engine.run(join["run"], into)], folder / "night"


def gitlab(engine: Engine, folder: Path, results: str) -> tuple[list[int], Path]:
    """Run a night of the pipeline, and return the exit codes and the joined report; the artifacts of its jobs are put where they were."""
    pipeline = yaml.safe_load((ROOT / "deploy" / "gitlab" / "nightly.gitlab-ci.yml").read_text())
    assert pipeline["audit"]["parallel"] == SHARDS
    told = {"HUBSPEC_REPORTS": str(folder / "reports"), "RESULTS": results, "CI_NODE_TOTAL": str(SHARDS)}
    audit, join = ("\n".join(pipeline[job]["script"]) for job in ("audit", "merge"))
    codes = [engine.run(audit, told | {"CI_NODE_INDEX": str(part)}) for part in range(1, SHARDS + 1)]
    return [*codes, engine.run(join, told)], folder / "reports" / "latest"


@pytest.mark.parametrize("night", [github, gitlab])
def test_of_the_second_night_only_what_is_new_is_told(night: Night, engine: Engine, tmp_path: Path) -> None:
    results = f"s3://{emr.LOGS}/{PREFIX}{night.__name__}"
    try:
        breaks.apply("user-stray")
        first, _ = night(engine, tmp_path / "first", results)
        breaks.apply("user-shell")
        second, whole = night(engine, tmp_path / "second", results)
    finally:
        breaks.mend("user-stray")
        breaks.mend("user-shell")

    assert sorted(first[:-1]) == sorted(second[:-1]) == [0] * (SHARDS - 1) + [1]
    assert [first[-1], second[-1]] == [1, 1]
    assert len(engine.receiver.messages) == 2, "one message a night, and none by a part"
    brought = sorted({key.split("/")[3] for key in engine.brought() if f"{night.__name__}/runs/" in key})
    assert len(brought) == 2, "the nights, and none of their parts"
    assert engine.read(f"{night.__name__}/latest.json")["clusters"] == [engine.on.lab.cluster_id]
    records: list[dict[str, Any]] = [json.loads(line) for line in (whole / "records.jsonl").read_text().splitlines()]
    changes = sorted(one["change"] for one in records if one["outcome"] == "drifted")
    assert changes == ["new", "still"]
    assert "changes: 1 new; there is no earlier run to compare with" in engine.said
    assert "changes: 1 new, 1 still; each cluster's since its last run" in engine.said
    assert main(["verify", str(whole)]) == 0


@pytest.mark.parametrize("night", [github, gitlab])
def test_a_place_that_was_not_said_is_asked_for(night: Night, engine: Engine, tmp_path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # GitHub's artifact, of which there is none
        codes, _ = night(engine, tmp_path, "")
        assert 0 not in codes
    assert "RESULTS: is no variable of the" in engine.said
    assert "shard 1/4" not in engine.said, "nothing is audited that could not be kept"
