"""YAML for people: entries with comments above them, in the order given. Whatever a name or a value holds, it stays data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from hubspec.printable import hidden, printable

WIDE = 140
"""Characters of a line: an entry that fits is one line, any other has a line for each of its parts."""
_ENDLESS = 2**31


@dataclass(frozen=True)
class Entry:
    """A value, or a mapping of further entries; and comments, one sentence a line."""

    value: Any
    comments: Sequence[str] = ()


@dataclass
class Page:
    """What stands on top of a file, and its entries."""

    comments: list[str]
    entries: dict[str, Entry] = field(default_factory=dict)

    def __str__(self) -> str:
        return "\n".join([*_comments(self.comments, 0), *_lines(self.entries, 0)]) + "\n"


class _Representer(yaml.representer.SafeRepresenter):
    def ignore_aliases(self, data: Any) -> bool:
        del data  # a value that stands twice is written twice
        return True


def _text(representer: Any, text: str) -> yaml.Node:
    # In double quotes whatever does not show is an escape, and a line break does not break the line.
    node: yaml.Node = representer.represent_scalar("tag:yaml.org,2002:str", text, style='"' if hidden(text) else None)
    return node


_Representer.add_representer(str, _text)


def _lines(entries: Mapping[str, Entry], depth: int) -> Iterator[str]:
    for key, entry in entries.items():
        if not depth:
            yield ""
        yield from _comments(entry.comments, depth)
        if isinstance(entry.value, dict) and any(isinstance(value, Entry) for value in entry.value.values()):
            # The key as YAML writes it, whatever its form, with nothing yet behind it.
            yield from _indented(_dump(key, {}).removesuffix(" {}"), depth)
            yield from _lines(entry.value, depth + 1)
            continue
        text = _dump(key, entry.value)
        if len(text) + 2 * depth > WIDE:
            text = _dump(key, entry.value, broken=True)
        yield from _indented(text, depth)


def _comments(sentences: Sequence[str], depth: int) -> Iterator[str]:
    return (f"{'  ' * depth}# {printable(sentence)}".rstrip() for sentence in sentences)


def _indented(text: str, depth: int) -> Iterator[str]:
    return ("  " * depth + line for line in text.split("\n"))


def _dump(key: str, value: Any, *, broken: bool = False) -> str:
    """Return `key: value` as YAML; `broken`: with a line for each part of the value."""
    made = _Representer(default_flow_style=True, sort_keys=False)
    pair = (made.represent_data(key), made.represent_data(value))
    if broken and isinstance(pair[1], yaml.CollectionNode):
        pair[1].flow_style = False
    node = yaml.MappingNode("tag:yaml.org,2002:map", [pair], flow_style=False)
    for plain in (True, False):
        text = str(yaml.serialize(node, Dumper=yaml.SafeDumper, width=_ENDLESS, allow_unicode=plain)).rstrip("\n")
        if not any(map(hidden, text.split("\n"))):
            break
    return text
