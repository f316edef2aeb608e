"""Leaves reports of runs in folders, as an audit does, for the tests of what joins them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hubspec import manifest
from hubspec.model import Outcome, Record
from hubspec.report import jsonl
from tests.records import drifted, record, run


def leave(folder: Path, records: Sequence[Record], **stated: Any) -> Path:
    """Leave the report of a run with these records; every field of the run that is stated takes the place of its own."""
    clusters = list(dict.fromkeys(one.cluster for one in records))
    outcomes = {one.outcome for one in records}
    code = 1 if Outcome.DRIFTED in outcomes else 11 if Outcome.UNREADABLE in outcomes else 0
    made = run(**{"id": f"run-{folder.name}", "clusters": clusters, "exit_code": code, "notices": []} | stated)
    folder.mkdir(parents=True)
    (folder / "records.jsonl").write_text(jsonl.render(records))
    (folder / "run.json").write_text(made.model_dump_json())
    seal(folder, records, made.id, made.exit_code)
    return folder


def seal(folder: Path, records: Sequence[Record], run_id: str, code: int) -> None:
    """Have chain and manifest say that the folder is as its run left it."""
    inputs = {
        "run": run_id,
        "started": "2026-03-04T05:06:07+00:00",
        "clusters": {one.cluster: "b.yaml" for one in records},
    }
    end = {"finished": "2026-03-04T05:06:09+00:00", "exit_code": code, "records": len(records), "outcomes": {}}
    chain, head = manifest.chained(inputs, ((one, jsonl.line(one).removesuffix("\n")) for one in records), end)
    (folder / "chain.jsonl").write_text(chain)
    manifest.written(folder, inputs, end, head)


def one_of(cluster: str, *outcomes: str, **stated: Any) -> list[Record]:
    """Return a record of each of these outcomes on a cluster."""
    make = {"drifted": drifted, "waived": drifted}
    return [
        make.get(outcome, record)(cluster=cluster, resource=f"p{i}", outcome=Outcome(outcome), **stated)
        for i, outcome in enumerate(outcomes or ("compliant",))
    ]
