"""The chain of a run: its inputs, each of its records and its end, each link with the hash of all before it. Pure.

`chain.jsonl` stands beside `records.jsonl` and has one line for each link. A link holds the SHA-256 of what it is about,
and in `chain` that of the `chain` before it and of this. The last one is the head: whoever noted it knows all the rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

INPUTS, RECORD, END = "inputs", "record", "end"


@dataclass(frozen=True, slots=True)
class Link:
    """One link: what sort it is of, the SHA-256 of its content, the hash of the chain to here, and a record's names."""

    link: str
    sha256: str
    chain: str
    record: str = ""
    test: str = ""

    def line(self) -> str:
        """Return it as a line of `chain.jsonl`."""
        named = {"record": self.record, "test": self.test} if self.link == RECORD else {}
        return json.dumps({"link": self.link, "sha256": self.sha256, "chain": self.chain} | named) + "\n"

    @property
    def about(self) -> str:
        """Return what a person calls it."""
        return f"the record {self.record} ({self.test})" if self.link == RECORD else f"the {self.link} of the run"


class Chain:
    """A chain that grows by a link at a time, so that records can be written as they come."""

    def __init__(self) -> None:
        """Begin before the first link."""
        self.head = ""

    def add(self, link: str, content: bytes, *, record: str = "", test: str = "") -> Link:
        """Return the next link, about this content."""
        digest = hashlib.sha256(content).hexdigest()
        self.head = after(self.head, digest)
        return Link(link, digest, self.head, record, test)


def after(chain: str, digest: str) -> str:
    """Return the hash of a chain with one more link."""
    return hashlib.sha256(f"{chain}{digest}".encode()).hexdigest()


def canonical(content: Mapping[str, Any]) -> bytes:
    """Return a JSON object as the bytes that are hashed: keys sorted, no blanks, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def read(text: str) -> list[Link]:
    """Return the links of a `chain.jsonl`. Raises ValueError, with a sentence, for a line that is no link."""
    links = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            told = json.loads(line)
            link = Link(**told)
            sound = all(isinstance(value, str) for value in told.values())
        except (ValueError, TypeError, RecursionError):
            sound = False
        if not sound:
            message = f"line {number} is no link of a chain"
            raise ValueError(message)
        links.append(link)
    return links


def broken(links: Sequence[Link]) -> Iterator[str]:
    """Yield a sentence for each link that does not follow from the one before, and for a chain without beginning or end."""
    sorts = [link.link for link in links]
    if sorts[:1] != [INPUTS] or sorts[-1:] != [END] or len(sorts) < 2 or set(sorts[1:-1]) - {RECORD}:
        yield "the chain does not begin with the inputs of the run, go on with its records, and stop with its end"
    before = ""
    for number, link in enumerate(links, 1):
        if link.chain != after(before, link.sha256):
            yield f"line {number}: {link.about} does not follow from the link before it"
        before = link.chain
