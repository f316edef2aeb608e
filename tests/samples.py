"""Reads metrics as Prometheus does: by the parser of its own Python client."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families


def samples(path: Path) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return (name, values of the labels in the order of their names) -> value, of a file."""
    return read(path.read_text())


def read(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return the same of a text."""
    found: dict[tuple[str, tuple[str, ...]], float] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type == "gauge"
        for sample in family.samples:
            key = (sample.name, tuple(sample.labels[label] for label in sorted(sample.labels)))
            assert key not in found, "the same twice, and Prometheus refuses the whole file"
            found[key] = sample.value
    return found
