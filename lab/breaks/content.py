"""Breaks of what is in the hub container: accounts, packages, files. Each is one script there."""

from __future__ import annotations

from functools import partial

from lab import hub, inside, provision
from lab.breaks.model import Break, Scene, Step
from lab.model import HUB
from lab.provision import PIP_INSTALL, STRAY

CONF = "/etc/jupyter/conf"
DEFAULT_LOGIN = "jovyan:jupyter\n"


def script(text: str, scene: Scene, *, stdin: str = "") -> None:
    """Run a script in the hub container."""
    inside.must(scene.client, HUB, f"set -e\nexport PATH=/opt/conda/bin:$PATH\n{text}", stdin=stdin)


def mend_users(scene: Scene) -> None:
    """Bring the accounts to what is declared."""
    provision.users(scene.client)


def mend_packages(scene: Scene) -> None:
    """Bring the packages to what is declared."""
    provision.packages(scene.client)


def mend_files(scene: Scene) -> None:
    """Bring the files to what is declared. The hub reads its settings at its start only, so it is not restarted."""
    provision.files(scene.client)
    hub.wait(scene.lab)


def _user(name: str, sentence: str, text: str, field: str = "", resource: str = "diego") -> Break:
    return Break(name, sentence, "user", resource, partial(script, text), mend_users, field)


def _package(name: str, sentence: str, text: str, resource: str, field: str = "") -> Break:
    return Break(name, sentence, "package", resource, partial(script, text), mend_packages, field)


def _file(name: str, sentence: str, text: str, resource: str, field: str = "") -> Break:
    step: Step = partial(script, text)
    return Break(name, sentence, "file", resource, step, mend_files, field)


_HAS_DIEGO = "id diego >/dev/null 2>&1 || { echo 'there is no user diego to change' >&2; exit 1; }\n"

TABLE = (
    _user("diego-missing", "the account diego is deleted", "if id diego >/dev/null 2>&1; then userdel diego; fi"),
    _user("user-uid", "diego has another uid", _HAS_DIEGO + "usermod -u 1501 diego", "uid"),
    _user("user-shell", "diego has no login shell", _HAS_DIEGO + "usermod -s /usr/sbin/nologin diego", "shell"),
    _user("user-home", "diego has another home", _HAS_DIEGO + "usermod -d /tmp diego", "home"),
    _user("user-groups", "diego is no longer in group analysts", _HAS_DIEGO + "usermod -G '' diego", "groups"),
    _user("user-locked", "diego is locked", _HAS_DIEGO + "passwd -q -l diego", "locked"),
    Break(
        "default-password",
        "jovyan has the documented default password",
        "user",
        "jovyan",
        partial(script, "chpasswd", stdin=DEFAULT_LOGIN),
        mend_users,
        "default_password",
    ),
    _user(
        "user-stray",
        "an account mallory that nobody declared",
        f"id {STRAY} >/dev/null 2>&1 || useradd -m -s /bin/bash {STRAY}",
        resource="*",
    ),
    _package(
        "keras-missing",
        "keras is removed",
        "! ls /opt/conda/conda-meta/keras-*.json >/dev/null 2>&1 || conda remove -q -y keras",
        "keras",
    ),
    _package(
        "keras-old",
        "keras is older than declared",
        "conda install -q -y --no-pin keras=2.11.0",
        "keras",
        "version",
    ),
    _package(
        "keras-unpinned",
        "nothing holds keras at its version any more",
        "echo '# nothing is held' > /opt/conda/conda-meta/pinned",
        "keras",
        "pinned",
    ),
    _package(
        "pip-changed",
        "pip's tabulate is older than declared",
        f"{PIP_INSTALL} tabulate==0.8.10",
        "pip:tabulate",
        "version",
    ),
    _package(
        "package-missing-env",
        "toolz is removed from the environment analysis",
        "! ls /opt/conda/envs/analysis/conda-meta/toolz-*.json >/dev/null 2>&1 || conda remove -q -y -n analysis toolz",
        "analysis/toolz",
    ),
    _package("package-stray", "somebody installed cloudpickle with conda", "conda install -q -y cloudpickle", "*"),
    _package(
        "pip-stray",
        "somebody installed colorama with pip",
        f"{PIP_INSTALL} colorama==0.4.6",
        "*",
    ),
    _file(
        "config-mode",
        "anybody can change the hub's settings",
        f"chmod 666 {CONF}/jupyterhub_config.py",
        f"{CONF}/jupyterhub_config.py",
        "mode",
    ),
    _file(
        "config-owner",
        "the hub's settings belong to jovyan",
        f"chown jovyan {CONF}/jupyterhub_config.py",
        f"{CONF}/jupyterhub_config.py",
        "owner",
    ),
    _file(
        "config-content",
        "the hub's settings say another port",
        f"sed -i 's/^c.JupyterHub.port = .*/c.JupyterHub.port = 8000/' {CONF}/jupyterhub_config.py",
        f"{CONF}/jupyterhub_config.py",
        "contains",
    ),
    _file(
        "key-readable", "anybody can read the hub's key", f"chmod 644 {CONF}/server.key", f"{CONF}/server.key", "mode"
    ),
    _file(
        "notebook-config-missing",
        "the notebook servers' settings are deleted",
        "rm -f /etc/jupyter/jupyter_notebook_config.py",
        "/etc/jupyter/jupyter_notebook_config.py",
    ),
    _file(
        "config-stray",
        "an undeclared file lies beside the hub's settings",
        f"echo '# left over' > {CONF}/extra_config.py",
        "*",
    ),
)
