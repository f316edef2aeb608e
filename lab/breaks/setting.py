"""Breaks of what configuration files set. The hub reads its own at its start only, so it goes on as before."""

from __future__ import annotations

import shlex
from functools import partial

from lab.breaks.content import CONF, mend_files, script
from lab.breaks.model import DRIFT, UNREADABLE, Break

HUB_CONFIG = f"{CONF}/jupyterhub_config.py"
NOTEBOOK_CONFIG = "/etc/jupyter/jupyter_notebook_config.py"
SPARKMAGIC = f"{CONF}/config.json"


def _edit(file: str, expression: str) -> str:
    return f"sed -i '{expression}' {file}"


def _add(file: str, *lines: str) -> str:
    # Twice is as once.
    return f"grep -qxF {shlex.quote(lines[-1])} {file} || printf '%s\\n' {shlex.join(lines)} >> {file}"


def _setting(name: str, sentence: str, text: str, resource: str = HUB_CONFIG, code: int = DRIFT) -> Break:
    field = "settings" if code == DRIFT and resource != "*" else ""
    return Break(name, sentence, "config", resource, partial(script, text), mend_files, field, code)


TABLE = (
    _setting(
        "setting-login",
        "the hub would let anybody log in",
        _edit(HUB_CONFIG, 's/^c.JupyterHub.authenticator_class = .*/c.JupyterHub.authenticator_class = "dummy"/'),
    ),
    _setting("setting-tls", "the hub would speak without TLS", _edit(HUB_CONFIG, "/^c.JupyterHub.ssl_/d")),
    _setting(
        "setting-admin",
        "diego would be made an admin",
        _add(HUB_CONFIG, 'c.Authenticator.admin_users |= {"diego"}'),
    ),
    _setting(
        "setting-persistence",
        "the servers would keep notebooks in a bucket that nobody declared",
        _add(
            NOTEBOOK_CONFIG,
            "from s3contents import S3ContentsManager",
            "c.NotebookApp.contents_manager_class = S3ContentsManager",
        ),
        NOTEBOOK_CONFIG,
    ),
    _setting(
        "livy-moved",
        "sparkmagic asks for Livy at another address",
        _edit(SPARKMAGIC, "s|http://emr-master:8998|http://localhost:8998|"),
        SPARKMAGIC,
    ),
    _setting(
        "setting-forbidden",
        "a token of the hub stands in its settings",
        _add(HUB_CONFIG, 'c.JupyterHub.api_tokens = {"0123456789abcdef": "jovyan"}'),
        "*",
    ),
    _setting(
        "setting-by-code",
        "a setting of the hub depends on a condition",
        _add(HUB_CONFIG, "import os", 'if os.environ.get("SHARED"):', "    c.JupyterHub.admin_access = False"),
        code=UNREADABLE,
    ),
)
