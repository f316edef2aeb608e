"""Values that a Python file writes out, and what a plain method or operator makes of one; nothing is run."""

from __future__ import annotations

import ast
from typing import Any

_SMALL = 10**12
"""A number from here on is not multiplied: its power of ten could fill the memory."""
_NUMBERS: dict[type[ast.operator], Any] = {
    ast.Add: lambda one, two: one + two,
    ast.Sub: lambda one, two: one - two,
    ast.Mult: lambda one, two: one * two,
}


def literal_of(node: ast.expr) -> Any:
    """Return what is written out, sums and products of numbers too. Raises ValueError, TypeError, SyntaxError."""
    if isinstance(node, ast.BinOp) and type(node.op) in _NUMBERS:
        one, two = literal_of(node.left), literal_of(node.right)
        numbers = all(isinstance(side, int | float) and abs(side) < _SMALL for side in (one, two))
        if numbers or (isinstance(node.op, ast.Add) and isinstance(one, str) and isinstance(two, str)):
            return _NUMBERS[type(node.op)](one, two)
        raise ValueError("computed")
    return ast.literal_eval(node)


def added(before: Any, op: ast.operator, value: Any) -> Any:
    """Return what `before += value` or `before |= value` makes of it; None where that is not known."""
    same = isinstance(before, str | list | int | float) and type(before) is type(value)
    if isinstance(op, ast.Add) and same:
        return before + value
    if isinstance(op, ast.BitOr):
        return (
            changed(before, "update", value) if isinstance(before, set | dict) and type(before) is type(value) else None
        )
    return None


def changed(before: Any, method: str, value: Any) -> Any:
    """Return what a call of the method makes of a list, a set or a mapping; None where that is not known."""
    match method:
        case "append" if isinstance(before, list):
            return [*before, value]
        case "extend" if isinstance(before, list) and isinstance(value, list | tuple):
            return [*before, *value]
        case "add" if isinstance(before, set):
            return before | {value}
        case "update" if isinstance(before, set) and isinstance(value, set | list | tuple):
            return before | set(value)
        case "update" if isinstance(before, dict) and isinstance(value, dict):
            return before | value
    return None
