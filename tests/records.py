"""Makes records and runs for the tests of the reports, so that a test states only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hubspec.model import Outcome, Record, Run, Severity

WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "</noscript><img src=x onerror=alert(6)>",
    "</style></title></textarea><svg onload=alert(7)>",
    "<a href=#c0>Why</a>",
    '" onmouseover="alert(3)" x="',
    "' autofocus onfocus='alert(4)",
    "javascript:alert(5)",
    "https://leak.invalid/?a=b&c=d#e",
    "{{ 7 * 7 }}{% raw %}",
    "]]><!--",
    "&lt;b&gt; &amp;#39;",
    "evil\u202egnp.exe\u2066",
    "nul\x00 esc\x1b[31m bell\x07 tab\t line\nend\r",
    "zero\u200bwidth\ufeff\u00adsoft\u2028sep\u3164",
)
"""Names that are made to break out of text, attributes, scripts and addresses, or to hide what they say."""
CONTROLS = (
    ("PKG-01", "package", Severity.HIGH, "Every declared package is installed at its declared version", "CM-2"),
    ("USR-01", "user", Severity.CRITICAL, "Only declared users hold the admin right", "AC-6"),
    ("USR-02", "user", Severity.MEDIUM, "Every declared user exists", "AC-2"),
    ("KRN-01", "kernel", Severity.LOW, "Every declared kernel starts from its declared environment", "CM-6"),
    ("FIL-01", "file", Severity.HIGH, "Configuration files are readable by their owner only", "AC-3"),
)


def record(**stated: Any) -> Record:
    """Return a compliant record of a package; every field that is stated takes the place of its own."""
    base: dict[str, Any] = {
        "run": "run-1",
        "cluster": "research",
        "kind": "package",
        "resource": "numpy",
        "check": "declared",
        "control": "PKG-01",
        "title": "Every declared package is installed at its declared version",
        "severity": Severity.HIGH,
        "why": "A notebook gives other figures under another version, and nobody notices.",
        "tags": {"NIST 800-53": ["CM-2", "CM-6"], "CIS": ["2.1"]},
        "outcome": Outcome.COMPLIANT,
        "message": "numpy is as declared.",
        "expected": {"version": "1.26.4", "manager": "conda"},
        "differences": [],
        "actions": [],
        "waiver": None,
        "declared_at": "baselines/research.yaml:12",
        "door": "docker",
        "evidence": "conda list --json --prefix /opt/conda",
        "started": WHEN,
        "took": 0.25,
    }
    base |= stated
    base.setdefault("before", dict(base["expected"]))
    base.setdefault("after", base["before"])
    base.setdefault("test", f"checks/test_{base['kind']}.py::test_declared[{base['cluster']}-{base['resource']}]")
    return Record(**base)


def drifted(**stated: Any) -> Record:
    """Return a record of a package in another version than declared, with the action that would fix it."""
    base: dict[str, Any] = {
        "outcome": Outcome.DRIFTED,
        "message": "numpy is 1.24.0, and 1.26.4 is declared.",
        "before": {"version": "1.24.0", "manager": "conda"},
        "differences": [{"field": "version", "wanted": "1.26.4", "found": "1.24.0"}],
        "actions": [
            {
                "sentence": "Install numpy 1.26.4 with conda.",
                "door": "container",
                "request": "conda install --yes --prefix /opt/conda 'numpy==1.26.4'",
                "safety": "safe",
                "command": "sudo docker exec -it jupyterhub conda install --yes --prefix /opt/conda 'numpy==1.26.4'",
                "result": None,
            },
        ],
    }
    return record(**base | stated)


def one_of_each() -> list[Record]:
    """Return six records, one for each outcome, with all that such a record carries."""
    waiver = {"reason": "The course ends in June.", "owner": "Ada", "ticket": "OPS-7", "until": "2026-06-30"}
    admin = {"control": "USR-01", "title": CONTROLS[1][3], "severity": Severity.CRITICAL, "kind": "user"}
    done = [{**drifted().actions[0], "result": "done, exit code 0"}]
    return [
        record(),
        drifted(
            **admin,
            resource="mallory",
            expected={"admin": False},
            before={"admin": True},
            message="mallory is an admin, and is not declared to be one.",
            differences=[{"field": "admin", "wanted": False, "found": True}],
        ),
        drifted(resource="pandas", outcome=Outcome.WAIVED, waiver=waiver, message="pandas drifts; waived by Ada."),
        drifted(
            resource="scipy",
            outcome=Outcome.FIXED,
            after={"version": "1.26.4", "manager": "conda"},
            actions=done,
            message="scipy was 1.24.0 and is now 1.26.4.",
        ),
        record(
            resource="torch",
            cluster="teaching",
            outcome=Outcome.UNREADABLE,
            before=None,
            message="Could not look: the container does not answer. Start it, then run again.",
        ),
        record(
            resource="spark",
            kind="kernel",
            control="KRN-01",
            title=CONTROLS[3][3],
            severity=Severity.LOW,
            outcome=Outcome.NOT_APPLICABLE,
            before=None,
            message="This cluster has no Spark.",
        ),
    ]


def many(count: int) -> list[Record]:
    """Return as many records as asked, in the mix of a large audit: one in eight is not compliant."""
    return [_nth(i) for i in range(count)]


def _nth(i: int) -> Record:
    control, kind, severity, title, tag = CONTROLS[i % len(CONTROLS)]
    cluster = ("research", "teaching", "production")[i % 3]
    name = f"{kind}-{i:05d}"
    stated: dict[str, Any] = {
        "cluster": cluster, "kind": kind, "resource": name, "control": control, "title": title, "severity": severity,
        "tags": {"NIST 800-53": [tag, "CM-3"], "CIS": ["5.2.1"]},
        "expected": {"version": f"{i % 9}.{i % 31}.0", "manager": "conda", "environment": "/opt/conda/envs/science"},
        "declared_at": f"baselines/{cluster}.yaml:{i + 10}",
        "evidence": f"conda list --json --prefix /opt/conda/envs/e{i // 40}",
        "started": WHEN + timedelta(seconds=i // 40),
        "message": f"{name} is as declared.",
    }  # fmt: skip
    if i % 8:
        return record(**stated)
    outcome = (Outcome.DRIFTED, Outcome.UNREADABLE, Outcome.WAIVED, Outcome.FIXED)[i // 8 % 4]
    if outcome is Outcome.UNREADABLE:
        return record(**stated | {"outcome": outcome, "before": None, "message": f"Could not look at {name}."})
    found = {**stated["expected"], "version": "0.1"}
    waiver = {"reason": "Agreed.", "owner": "Ada", "ticket": f"OPS-{i}", "until": "2026-06-30"}
    return drifted(**stated | {
        "outcome": outcome,
        "message": f"{name} is 0.1, and {stated['expected']['version']} is declared.",
        "before": found,
        "after": stated["expected"] if outcome is Outcome.FIXED else found,
        "differences": [{"field": "version", "wanted": stated["expected"]["version"], "found": "0.1"}],
        "waiver": waiver if outcome is Outcome.WAIVED else None,
    })  # fmt: skip


def all_drift(count: int) -> list[Record]:
    """Return as many drifts as asked, as different as those of a large audit."""
    return [_worst(one, i) for i, one in enumerate(many(count))]


def _worst(one: Record, i: int) -> Record:
    wanted, command = one.expected["version"], f"conda install --yes --prefix /opt/conda '{one.resource}=={i}'"
    action = {**drifted().actions[0], "request": command, "command": f"sudo docker exec -it jupyterhub {command}"}
    return one.model_copy(
        update={
            "outcome": Outcome.DRIFTED,
            "message": f"{one.resource} is 0.1, and {wanted} is declared.",
            "before": {**one.expected, "version": "0.1"},
            "after": {**one.expected, "version": "0.1"},
            "differences": [{"field": "version", "wanted": wanted, "found": "0.1"}],
            "actions": [action],
            "waiver": None,
        }
    )


def with_history(**stated: Any) -> tuple[list[Record], Run]:
    """Return the records and the run of a night that has nights before it, waivers and frameworks."""
    records = [
        one.model_copy(update={"change": change, "since": WHEN - timedelta(days=3) if change == "still" else None})
        for one, change in zip(one_of_each(), (None, "new", "still", "fixed", None, None), strict=True)
    ]
    days = [{"run": f"r{i}", "seen": (WHEN - timedelta(days=9 - i)).isoformat(), "critical": i % 3, "high": i, "medium": 1, "low": 0}
            for i in range(10)]  # fmt: skip
    waiver = {
        "key": "w1", "control": "PKG-01", "resource": "pandas", "cluster": "*", "reason": "The course ends in June.",
        "owner": "Ada", "ticket": "OPS-7", "from": None, "until": "2026-06-30", "checks": 1, "drifting": 1,
        "declared_at": "waivers.yaml:3", "shared": False,
    }  # fmt: skip
    waivers = [
        waiver | {"state": "active", "sentence": "waiver w1 of Ada (OPS-7) counts until 2026-06-30"},
        waiver | {"key": "w2", "state": "expired", "sentence": "waiver w2 of Ada (OPS-7) expired on 2026-01-31"},
    ]
    about = {"compared": True, "last": {"run": "r8", "seen": days[8]["seen"]}, "trend": days, "waivers": waivers}
    return records, run(**about | stated)


def run(**stated: Any) -> Run:
    """Return a run of two clusters; every field that is stated takes the place of its own."""
    base: dict[str, Any] = {
        "id": "run-1",
        "started": WHEN,
        "finished": WHEN + timedelta(seconds=42.5),
        "clusters": ["research", "teaching"],
        "baselines": ["baselines/research.yaml", "baselines/teaching.yaml"],
        "version": "0.1.0",
        "command": "pytest checks --cluster research --cluster teaching --html report.html",
        "exit_code": 1,
        "notices": ["The waiver of PKG-01 for pandas on teaching ended on 2026-01-31; its drift counts again."],
        "round_trips": {"docker": 12, "hub": 3},
    }
    return Run(**base | stated)
