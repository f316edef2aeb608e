"""`--metrics FILE`: how a run ended, for Prometheus (text exposition format 0.0.4), as node_exporter's textfile collector reads it. Pure.

The times of the last good runs are taken over from the file as the run before left it, so that a bad run does not lose them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hubspec.model import Outcome, Run, Severity
from hubspec.notice import looked
from hubspec.printable import printable
from hubspec.tally import Cluster, Tally

GOOD = "hubspec_last_good_run_timestamp_seconds"
COMPLIANT = "hubspec_last_compliant_run_timestamp_seconds"
CLUSTER_GOOD = "hubspec_cluster_last_good_run_timestamp_seconds"
_KEPT = re.compile(
    rf'^(?P<name>{GOOD}|{COMPLIANT}|{CLUSTER_GOOD})(?:\{{cluster="(?P<cluster>(?:[^"\\\n]|\\.)*)"\}})? (?P<value>[0-9]{{1,12}}(?:\.[0-9]{{1,6}})?)$',
    re.MULTILINE,
)
_NOTHING = Cluster()
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}


@dataclass(frozen=True)
class Before:
    """When the runs before were good: of the whole, and of each cluster, in seconds since 1970."""

    good: float | None = None
    compliant: float | None = None
    clusters: Mapping[str, float] = field(default_factory=dict)
    """By the cluster as its label is written."""


def before(text: str) -> Before:
    """Return what a file says of the runs before it; nothing of what is no such file."""
    alone: dict[str, float] = {}
    clusters: dict[str, float] = {}
    for match in _KEPT.finditer(text):
        if match["name"] == CLUSTER_GOOD and match["cluster"] is not None:
            clusters[match["cluster"]] = float(match["value"])
        elif match["name"] != CLUSTER_GOOD and match["cluster"] is None:
            alone[match["name"]] = float(match["value"])
    return Before(alone.get(GOOD), alone.get(COMPLIANT), clusters)


def render(tally: Tally, run: Run, past: Before, code: int | None = None) -> str:
    """Return the metrics of a run as text. A good run is one that could look at all that it was to look at, whatever it found.

    `code` is the exit code that the run ends with, where it is not its own.
    """
    return "".join(_lines(tally, run, past, run.exit_code if code is None else code))


def _lines(tally: Tally, run: Run, past: Before, code: int) -> Iterator[str]:
    ended = run.finished.timestamp()
    good = ended if looked(tally, run) else past.good
    compliant = ended if run.exit_code == 0 else past.compliant
    clusters = sorted({**dict.fromkeys(run.missing, _NOTHING), **tally.clusters}.items())
    yield from _gauge("hubspec_info", "The hubspec that ran.", [({"version": run.version}, 1)])
    yield from _gauge("hubspec_checks", "Checks of the last run, by outcome and severity.", [
        ({"outcome": str(outcome), "severity": str(severity)}, tally.checks[outcome, severity])
        for outcome in Outcome for severity in reversed(Severity)
    ])  # fmt: skip
    if run.compared:
        yield from _gauge("hubspec_changes", "Checks that changed since the run before.", [
            ({"change": one}, tally.changes[one]) for one in ("new", "regressed", "still", "fixed")
        ])  # fmt: skip
    yield from _gauge("hubspec_clusters", "Clusters of the last run.", [({}, len(run.clusters))])
    missing = "Clusters of which the last run found nothing out."
    yield from _gauge("hubspec_clusters_missing", missing, [({}, len(run.missing))])
    yield from _gauge("hubspec_cluster_checks", "Checks of a cluster in the last run, by outcome.", [
        ({"cluster": name, "outcome": str(outcome)}, one.outcomes[outcome]) for name, one in clusters for outcome in Outcome
    ])  # fmt: skip
    yield from _gauge("hubspec_cluster_drifts", "Drifted checks of a cluster in the last run, by severity.", [
        ({"cluster": name, "severity": str(severity)}, one.drifts[severity])
        for name, one in clusters for severity in reversed(Severity)
    ])  # fmt: skip
    yield from _gauge("hubspec_run_exit_code", "Exit code of the last run.", [({}, code)])
    yield from _gauge("hubspec_run_timestamp_seconds", "When the last run ended.", [({}, ended)])
    took = (run.finished - run.started).total_seconds()
    yield from _gauge("hubspec_run_duration_seconds", "How long the last run took.", [({}, max(took, 0))])
    trips = [({"door": door}, count) for door, count in sorted(run.round_trips.items())]
    yield from _gauge("hubspec_round_trips", "Round trips of the last run, by door.", trips)
    yield from _gauge(GOOD, "When the last run ended that could look at everything.", [({}, good)])
    yield from _gauge(COMPLIANT, "When the last run ended with exit code 0.", [({}, compliant)])
    times = [({"cluster": name}, _good(name, one, ended, past)) for name, one in clusters]
    yield from _gauge(CLUSTER_GOOD, "When the last run ended that could look at everything of a cluster.", times)


def _good(name: str, cluster: Cluster, ended: float, past: Before) -> float | None:
    return ended if cluster.outcomes and not cluster.blind else past.clusters.get(_label(name))


def _gauge(name: str, about: str, samples: Iterable[tuple[Mapping[str, str], float | None]]) -> Iterator[str]:
    """Yield one metric; nothing where it has no samples. A sample that is not known is left out."""
    known = [(labels, value) for labels, value in samples if value is not None]
    if known:
        yield f"# HELP {name} {about}\n# TYPE {name} gauge\n"
    for labels, value in known:
        told = ",".join(f'{key}="{_label(text)}"' for key, text in labels.items())
        yield f"{name}{{{told}}} {_number(value)}\n" if told else f"{name} {_number(value)}\n"


def _label(text: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in printable(text))


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
