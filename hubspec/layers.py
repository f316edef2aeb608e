"""YAML to plain data with the place of every key, and layers joined by `extends`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hubspec.errors import BaselineError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Where = tuple[Any, ...]
"""The way to a value: keys and list positions from the top."""
DEEPEST, MOST = 50, 200_000
"""Levels and values of one file: more is no baseline. libyaml's own tree builder ends the process on deep nesting."""


@dataclass(frozen=True)
class Place:
    """A line of a file, counted from 1."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass
class Layer:
    """Plain data, where each value of it was written, and the SHA-256 of each file that it was read from."""

    data: dict[str, Any]
    places: dict[Where, Place]
    faults: list[str] = field(default_factory=list)
    files: dict[Path, str] = field(default_factory=dict)

    def place(self, where: Where) -> Place:
        """Return the place of a value, or of the nearest thing around it that was written."""
        while where not in self.places:
            where = where[:-1]
        return self.places[where]


def read(path: Path) -> Layer:
    """Return the file with everything it extends, nearer layers over farther ones; mappings join, all else replaces.

    Raises BaselineError where a file is missing, unreadable, empty, no YAML, no mapping, or extends itself.
    """
    return _read(path, ())


def _read(path: Path, chain: tuple[Path, ...]) -> Layer:
    if path.resolve() in [seen.resolve() for seen in chain]:
        circle = " -> ".join(str(seen) for seen in (*chain, path))
        raise BaselineError([f"{chain[-1]}:1: extends goes in a circle: {circle}"])
    layer = _parse(path)
    bases = layer.data.pop("extends", [])
    place = layer.place(("extends",))
    bases = [bases] if isinstance(bases, str) else bases
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise BaselineError([f"{place}: extends: wanted the name of a file, or a list of them; found {bases!r}"])
    below = Layer({}, {(): Place(path, 1)})
    for base in bases:
        target = path.parent / base
        try:
            there = target.is_file()
        except OSError:  # a name that is too long
            there = False
        if not there:
            raise BaselineError([f"{place}: extends: there is no file {target}"])
        _join(below, _read(target, (*chain, path)))
    _join(below, layer)
    return below


def _parse(path: Path) -> Layer:
    try:
        content = path.read_bytes()
        text = content.decode()
        _refuse_depth(path, text)
        node = yaml.compose(text, Loader=_Loader)
    except FileNotFoundError:
        raise BaselineError([f"{path}: there is no such file; give one with --baseline"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError([f"{path}: cannot be read: {error}"]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BaselineError([f"{path}:{line}: is not YAML: {str(error).splitlines()[0]}"]) from None
    except yaml.MarkedYAMLError as error:
        line = getattr(error.problem_mark, "line", 0) + 1
        raise BaselineError([f"{path}:{line}: is not YAML: {error.problem}"]) from None
    if node is None:
        raise BaselineError([f"{path}:1: is empty; declare something, or say what it extends"])
    if not isinstance(node, yaml.MappingNode):
        raise BaselineError([f"{path}:1: wanted a mapping (users: ..., packages: ...), found {_word(node)}"])
    layer = Layer({}, {(): Place(path, 1)}, files={path: hashlib.sha256(content).hexdigest()})
    layer.data = _Reader(path, layer).plain(node, (), ())
    return layer


def _refuse_depth(path: Path, text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = getattr(event.start_mark, "line", 0) + 1
            raise BaselineError([f"{path}:{line}: is nested more than {DEEPEST} levels deep; a baseline needs six"])


class _Reader:
    def __init__(self, path: Path, layer: Layer) -> None:
        self.path, self.layer = path, layer
        self.constructor = yaml.constructor.SafeConstructor()
        self.values = 0
        self.joined: set[int] = set()

    def plain(self, node: yaml.Node, where: Where, around: tuple[int, ...]) -> Any:
        self.layer.places.setdefault(where, place := Place(self.path, node.start_mark.line + 1))
        self.values += 1
        if self.values > MOST:
            raise BaselineError([f"{place}: its aliases make more than {MOST} values of it; write out what is meant"])
        if id(node) in around:
            self.fault(node, where, "an alias stands inside what it names")
            return None
        if len(around) > DEEPEST:
            raise BaselineError(
                [f"{place}: its aliases nest it more than {DEEPEST} levels deep; write out what is meant"]
            )
        around = (*around, id(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, where, around)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*where, number), around) for number, item in enumerate(node.value)]
        return self.scalar(node, where)

    def scalar(self, node: yaml.Node, where: Where) -> Any:
        try:
            return self.constructor.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            self.fault(node, where, str(getattr(error, "problem", None) or error))
        except (LookupError, AttributeError, TypeError):  # what PyYAML makes of '!!int ""' and the like
            self.fault(node, where, f"is no {node.tag.rpartition(':')[2]}: {node.value!r}")
        return None

    def mapping(self, node: yaml.MappingNode, where: Where, around: tuple[int, ...]) -> dict[Any, Any]:
        if id(node) not in self.joined:  # an alias leads to a mapping that has been joined with what it merges
            self.joined.add(id(node))
            self.twice(node, where)
            try:
                self.constructor.flatten_mapping(node)
            except yaml.YAMLError:
                self.fault(node, where, "'<<' takes a mapping, or a list of them")
                return {}
        data: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.fault(key_node, where, f"a key must be text, found {_word(key_node)}")
                continue
            faults = len(self.layer.faults)
            key = self.scalar(key_node, where)
            if not isinstance(key, str):
                if faults == len(self.layer.faults):
                    self.fault(key_node, where, f"a key must be text, found {key_node.value!r}; write it in quotes")
                continue
            self.layer.places[(*where, key)] = Place(self.path, key_node.start_mark.line + 1)
            data[key] = self.plain(value_node, (*where, key), around)
        return data

    def twice(self, node: yaml.MappingNode, where: Where) -> None:
        first: dict[str, int] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            key, line = key_node.value, key_node.start_mark.line + 1
            if key in first:
                self.fault(key_node, (*where, key), f"stands twice, first in line {first[key]}")
            first.setdefault(key, line)

    def fault(self, node: yaml.Node, where: Where, sentence: str) -> None:
        place = Place(self.path, node.start_mark.line + 1)
        self.layer.faults.append(f"{place}: {dotted(where)}: {sentence}" if where else f"{place}: {sentence}")


def dotted(where: Where) -> str:
    """Return the way to a value as a person writes it: users.diego.shell, waivers[2].owner."""
    text = ""
    for step in where:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _word(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return f"just {node.value!r}"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"


def _join(below: Layer, above: Layer) -> None:
    below.faults += above.faults
    below.places |= above.places
    below.files |= above.files
    _merge(below.data, above.data)


def _merge(below: dict[str, Any], above: dict[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _merge(below[key], value)
        else:
            below[key] = value
