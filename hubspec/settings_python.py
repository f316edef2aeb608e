"""The settings of a configuration file that is Python, read and never run: assignments to what `get_config()` gives.

What is set to a literal is known. What is computed, set under a condition or in a function is set, and to what is not
known. Where the file hands its configuration to other code, there may be more settings than it shows.
Source of fact: traitlets 4.3 to 5.14, `config/loader.py` (PyFileConfigLoader; a key in capitals is a section).
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable
from typing import Any

from hubspec.literal import added, changed, literal_of
from hubspec.settings import Settings, shown

_Path = tuple[str, ...]
_LOADS = {"load_subconfig", "exec", "execfile", "eval", "compile", "__import__", "globals", "locals", "vars"}
_READS = {"copy", "deepcopy", "get", "has_key", "items", "keys", "values"}


def read_python(text: str) -> Settings:
    """Return the settings of a Python file. Raises ValueError, with a sentence, where it is not Python; nothing else."""
    reader = _Reader()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of another's file nobody wants to know
            tree = ast.parse(text)
        reader.block(tree.body, sure=True)
    except SyntaxError as error:
        message = f"line {error.lineno or 1} is not Python"
        raise ValueError(message) from None
    except (RecursionError, MemoryError):
        raise ValueError("it is nested too deeply") from None
    found = reader.found
    for name, value in list(found.values.items()):
        try:
            found.values[name] = shown(name, value)
        except (ValueError, RecursionError, TypeError):
            del found.values[name]
            found.unread[name] = f"line {found.lines[name]} sets it to a value that JSON does not have"
    return found


class _ComputedError(Exception):
    """A part of the way to a setting is computed: `path` is as far as it is known."""

    def __init__(self, path: _Path) -> None:
        super().__init__()
        self.path = path


class _Reader:
    """Follows a file from its top to its end."""

    def __init__(self) -> None:
        self.found = Settings()
        self._names: dict[str, _Path] = {"c": ()}  # what stands for the configuration, or a section of it
        self._imports: dict[str, str] = {}
        self._later: set[str] = set()  # set in a function, which may run at any time

    def block(self, statements: Iterable[ast.stmt], *, sure: bool, later: bool = False) -> None:
        """Take statements; `sure` says that they run in this order, `later` that they may run at any time."""
        for one in statements:
            self._statement(one, sure=sure and not later, later=later)

    def _statement(self, node: ast.stmt, *, sure: bool, later: bool) -> None:
        before = set(self.found.lines.items())
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value, node.lineno, sure=sure)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value, node.lineno, sure=sure)
            case ast.AugAssign(target=target, op=op, value=value):
                self._augment(target, op, value, sure=sure)
            case ast.Expr(value=ast.Call() as call):
                self._call(call, sure=sure)
            case ast.Delete(targets=targets):
                for target in targets:
                    self._delete(target, sure=sure)
            case ast.Import() | ast.ImportFrom():
                self._import(node, sure=sure)
            case _:
                self._compound(node, sure=sure, later=later)
        if later:
            self._later |= {name for name, line in self.found.lines.items() if (name, line) not in before}

    def _compound(self, node: ast.AST, *, sure: bool, later: bool) -> None:
        """Take what a statement consists of: those inside it run under a condition, but for those of `with`."""
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name in self._names:
            self._gone(node.name, node.lineno)
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.stmt):
                self.block([part], sure=sure and isinstance(node, ast.With), later=later or function)
            elif isinstance(part, ast.expr):
                self._seen(part)
            else:
                self._compound(part, sure=False, later=later)

    def _assign(self, target: ast.expr, value: ast.expr | None, line: int, *, sure: bool) -> None:
        if isinstance(target, ast.Tuple | ast.List | ast.Starred):
            for one in target.elts if isinstance(target, ast.Tuple | ast.List) else [target.value]:
                self._assign(one, None, line, sure=sure)
        elif isinstance(target, ast.Name):
            self._bind(target.id, value, line)
            return
        elif (path := self._way(target, line)) is not None:
            self._put(path, value, line, sure=sure)
        else:
            self._seen(target)
        if value is not None:
            self._seen(value)

    def _bind(self, name: str, value: ast.expr | None, line: int) -> None:
        path = self._way(value, line) if value is not None else None
        self._imports.pop(name, None)
        if path is not None and _setting(path) is None:
            self._names[name] = path
            return
        if name in self._names:
            self._gone(name, line)
        if value is not None:
            self._seen(value)

    def _gone(self, name: str, line: int) -> None:
        del self._names[name]
        self.found.more.append(f"line {line} gives {name} another meaning")

    def _put(self, path: _Path, value: ast.expr | None, line: int, *, sure: bool) -> None:
        """Set what a path leads to: a setting, something inside one, or all of a section."""
        name = _setting(path)
        if name is None:
            self._section(path, value, line, sure=sure)
            return
        inside = path[name.count(".") + 1 :]
        self.found.lines[name] = line
        if not sure:
            self._unknown(name, f"line {line} sets it by code: under a condition, or in a function")
            return
        known, literal = self._literal(value, name)
        if inside:
            whole = self.found.values.get(name)
            if not known or len(inside) > 1 or not isinstance(whole, dict):
                self._unknown(name, f"line {line} changes a part of it by code")
                return
            literal = {**whole, inside[0]: literal}
        if not known:
            self._unknown(name, f"line {line} sets it by code")
        elif name not in self._later:
            self.found.values[name] = literal
            self.found.unread.pop(name, None)

    def _section(self, path: _Path, value: ast.expr | None, line: int, *, sure: bool) -> None:
        if isinstance(value, ast.Dict) and all(
            isinstance(k, ast.Constant) and isinstance(k.value, str) for k in value.keys
        ):
            for key, one in zip(value.keys, value.values, strict=True):
                assert isinstance(key, ast.Constant)
                self._put((*path, str(key.value)), one, line, sure=sure)
            return
        self.found.more.append(f"line {line} sets {_named(path)} by code")

    def _augment(self, target: ast.expr, op: ast.operator, value: ast.expr, *, sure: bool) -> None:
        self._seen(value)
        if isinstance(target, ast.Name):
            if target.id in self._names:
                self._gone(target.id, target.lineno)
            return
        path = self._way(target, target.lineno)
        if path is None:
            return
        name = _setting(path)
        if name is None:
            self.found.more.append(f"line {target.lineno} sets {_named(path)} by code")
            return
        known, literal = self._literal(value)
        after = added(self.found.values.get(name), op, literal) if sure and known and ".".join(path) == name else None
        self._change(name, after, target.lineno)

    def _call(self, call: ast.Call, *, sure: bool) -> None:
        match call:
            case ast.Call(
                func=ast.Name(id="setattr"), args=[ast.expr() as of, ast.Constant(value=str(key)), ast.expr() as value]
            ):
                path = self._way(of, call.lineno)
                if path is not None:
                    self._put((*path, key), value, call.lineno, sure=sure)
                    self._seen(value)
                    return
            case ast.Call(func=ast.Attribute(value=of, attr=method)):
                path = self._way(of, call.lineno)
                if path is not None:
                    self._method(path, method, call, sure=sure)
                    for one in (*call.args, *(word.value for word in call.keywords)):
                        self._seen(one)
                    return
        self._seen(call)

    def _method(self, path: _Path, method: str, call: ast.Call, *, sure: bool) -> None:
        name = _setting(path)
        if name is None:
            if method in _READS:
                return
            if (
                method not in {"update", "merge"}
                or len(call.args) > 1
                or any(word.arg is None for word in call.keywords)
            ):
                self.found.more.append(f"line {call.lineno} changes {_named(path)} by code")
                return
            for one in call.args:
                self._section(path, one, call.lineno, sure=sure)
            for word in call.keywords:
                self._put((*path, str(word.arg)), word.value, call.lineno, sure=sure)
            return
        known, literal = self._literal(call.args[0]) if len(call.args) == 1 and not call.keywords else (False, None)
        plain = sure and known and ".".join(path) == name
        self._change(name, changed(self.found.values.get(name), method, literal) if plain else None, call.lineno)

    def _change(self, name: str, value: Any, line: int) -> None:
        """Keep what a setting was changed to; None where that is not known, because its default is not, or it is computed."""
        self.found.lines[name] = line
        if value is None or name in self._later:
            self._unknown(name, f"line {line} adds to it, or changes it by code")
        else:
            self.found.values[name] = value

    def _delete(self, target: ast.expr, *, sure: bool) -> None:
        if isinstance(target, ast.Name):
            if target.id in self._names:
                self._gone(target.id, target.lineno)
            return
        path = self._way(target, target.lineno)
        if path is None:
            return
        name = _setting(path)
        if name is None or not sure or ".".join(path) != name or name in self._later:
            self.found.more.append(f"line {target.lineno} takes settings of {_named(path)} away by code")
            return
        for kept in (self.found.values, self.found.unread, self.found.lines):
            kept.pop(name, None)

    def _import(self, node: ast.Import | ast.ImportFrom, *, sure: bool) -> None:
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            if alias.name == "*":
                self.found.more.append(f"line {node.lineno} imports whatever there is in {getattr(node, 'module', '')}")
            if bound in self._names:
                self._gone(bound, node.lineno)
            whole = (
                f"{node.module}.{alias.name}"
                if isinstance(node, ast.ImportFrom)
                else alias.name
                if alias.asname
                else bound
            )
            self._imports.pop(bound, None)
            if sure:
                self._imports[bound] = whole

    def _unknown(self, name: str, why: str) -> None:
        self.found.values.pop(name, None)
        self.found.unread[name] = why

    def _way(self, node: ast.expr, line: int) -> _Path | None:
        """Return the way from the configuration to what an expression names; None where it names nothing of it."""
        try:
            return self._path(node)
        except _ComputedError as error:
            name = _setting(error.path)
            if name is None:
                self.found.more.append(f"line {line} sets what of {_named(error.path)} it computes")
            else:
                self.found.lines[name] = line
                self._unknown(name, f"line {line} changes a part of it by code")
            return None

    def _path(self, node: ast.expr) -> _Path | None:
        match node:
            case ast.Name(id=name):
                return self._names.get(name)
            case ast.Call(func=ast.Name(id="get_config"), args=[], keywords=[]):
                return ()
            case ast.Attribute(value=of, attr=key) | ast.Subscript(value=of, slice=ast.Constant(value=str(key))):
                path = self._path(of)
                return None if path is None else (*path, key)
            case ast.Subscript(value=of):
                path = self._path(of)
                if path is not None:
                    raise _ComputedError(path)
        return None

    def _seen(self, node: ast.AST) -> None:
        """Note where an expression hands the configuration, or a section of it, to other code, or gives its name away."""
        if isinstance(node, ast.expr) and not isinstance(node, ast.Call):
            path = self._way(node, node.lineno)
            if path is not None:
                if _setting(path) is None:
                    self.found.more.append(f"line {node.lineno} hands {_named(path)} to other code")
                return
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in _LOADS:
                self.found.more.append(f"line {node.lineno}: more settings may come from {_loaded(node)}")
            path = self._way(node.func, node.lineno) if isinstance(node.func, ast.Attribute) else None
            if path:
                self._method(path[:-1], path[-1], node, sure=False)
                for one in (*node.args, *(word.value for word in node.keywords)):
                    self._seen(one)
                return
        if isinstance(node, ast.NamedExpr) and node.target.id in self._names:
            self._gone(node.target.id, node.lineno)
        for part in ast.iter_child_nodes(node):
            self._seen(part)

    def _literal(self, node: ast.expr | None, name: str = "") -> tuple[bool, Any]:
        """Return whether a value is written out, and the value; of a setting for a class the text by which that is imported."""
        if node is not None and name.endswith("_class") and (known := self._imported(node)):
            return True, known
        try:
            return (True, literal_of(node)) if node is not None else (False, None)
        except (ValueError, TypeError, SyntaxError):
            return False, None

    def _imported(self, node: ast.expr) -> str | None:
        match node:
            case ast.Name(id=name):
                return self._imports.get(name)
            case ast.Attribute(value=of, attr=name):
                whole = self._imported(of)
                return f"{whole}.{name}" if whole else None
        return None


def _setting(path: _Path) -> str | None:
    """Return the name of the setting that a path leads to, or into; None where it leads to a section, or to everything."""
    for at, key in enumerate(path):
        if not key[:1].isupper():
            return ".".join(path[: at + 1])
    return None


def _named(path: _Path) -> str:
    return ".".join(path) or "the configuration"


def _loaded(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Name)
    first = call.args[0] if call.args else None
    named = isinstance(first, ast.Constant) and isinstance(first.value, str) and call.func.id == "load_subconfig"
    return str(first.value) if named and isinstance(first, ast.Constant) else f"{call.func.id}()"
