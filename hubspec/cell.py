"""Jupyter's messages as a websocket carries them, and a cell for each language that prints what nobody could guess. Pure.

Source of fact: 'Messaging in Jupyter' (protocol 5.3) and notebook 6.4.12, `services/kernels/handlers.py`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PRODUCT = {
    "python": "print({a} * {b})",
    "r": "cat({a} * {b})",
    "scala": "print({a}L * {b}L)",
    "julia": "print({a} * {b})",
    "bash": "echo $(({a} * {b}))",
    "javascript": "console.log({a} * {b})",
    "ruby": "puts {a} * {b}",
}
_LOCAL = "%%local\nprint({a} * {b})"
"""What a sparkmagic kernel runs by itself: without it the cell would start a Livy session, and with it a YARN application."""
_TEXT = 4000
"""Characters of a kernel's output that are kept."""


def product(spec: Mapping[str, Any], one: int, two: int) -> str | None:
    """Return a cell that prints a product, for the kernelspec that a notebook server tells of; None for a foreign language."""
    argv = spec.get("argv")
    spark = isinstance(argv, list) and any("sparkmagic" in str(word) for word in argv)
    form = _LOCAL if spark else _PRODUCT.get(str(spec.get("language", "")).lower())
    return form.format(a=one, b=two) if form else None


def message(type_: str, content: Mapping[str, Any], session: str) -> tuple[str, str]:
    """Return the id and the text of a message on the shell channel."""
    id_ = uuid.uuid4().hex
    header = {"msg_id": id_, "msg_type": type_, "username": "", "session": session, "version": "5.3", "date": ""}
    whole = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
    return id_, json.dumps(whole | {"buffers": []})


def execute(code: str, session: str) -> tuple[str, str]:
    """Return the id and the text of a request to run a cell."""
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    return message("execute_request", content | {"stop_on_error": True}, session)


@dataclass
class Heard:
    """What a kernel answered to one message: it is done once it has both replied and is idle again."""

    about: str
    replied: str = ""
    idle: bool = False
    output: str = ""
    died: bool = False
    errors: list[str] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Say whether nothing more will come."""
        return self.died or (bool(self.replied) and self.idle)

    def hear(self, text: str) -> None:
        """Take one message in; one that is no message, or about another, changes nothing."""
        try:
            told = json.loads(text)
            type_, content = told["header"]["msg_type"], told.get("content") or {}
            parent = (told.get("parent_header") or {}).get("msg_id")
            state = content.get("execution_state")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return
        if type_ == "status" and str(state) in {"dead", "restarting"}:
            self.died = True  # the server's own word, about no request (jupyter_client's restarter)
        if parent != self.about:
            return
        if type_ == "status" and state == "idle":
            self.idle = True
        elif str(type_).endswith("_reply"):
            self.replied = str(content.get("status") or "ok")
        elif type_ == "stream":
            self.output = (self.output + str(content.get("text", "")))[:_TEXT]
        elif type_ == "error":
            self.errors.append(f"{content.get('ename')}: {content.get('evalue')}"[:_TEXT])
