"""A plugin of an audit: a container that is full of secrets, and a place in the code that breaks down with them at hand."""

from __future__ import annotations

import base64
import json
import os
import re
from typing import Any

import hubspec.collect
import hubspec.masked
from hubspec.kinds import KINDS

SECRET = "c4n4ry"
"""Every planted secret begins with it, and goes on with the name of its place."""


def secret(place: str) -> str:
    return f"{SECRET}-{place}-5e7a91d0"


def _file(path: str, text: str) -> str:
    return f"t:{path}:{base64.b64encode(text.encode()).decode()}\n"


HUB_CONFIG = f"""
c.JupyterHub.port = 9443
c.JupyterHub.api_tokens = {{'{secret("api-tokens")}': 'ana'}}
c.ConfigurableHTTPProxy.auth_token = '{secret("proxy-auth-token")}'
c.JupyterHub.db_url = 'mysql://hub:{secret("database-url")}@db/hub'
c.JupyterHub.services = [{{'name': 'x', 'api_token': '{secret("service-token")}', 'url': 'https://u:{secret("service-config-url")}@h'}}]
c.Spawner.environment = {{'DB_PASSWORD': '{secret("spawner-environment")}'}}
c.Spawner.args = ['--NotebookApp.token={secret("spawner-argument")}', '--password', '{secret("spawner-next-argument")}']
c.LDAPAuthenticator.lookup_dn_search_password = '{secret("ldap-password")}'
c.OAuthenticator.client_secret = '{secret("client-secret")}' + str(3)
"""
SPARK_CONFIG = {
    "kernel_python_credentials": {"username": "", "password": secret("livy-password"), "url": f"http://u:{secret('livy-url')}@h:8998"},
    "session_configs": {"conf": {"spark.hadoop.fs.s3a.secret.key": secret("spark-secret-key")}},
}  # fmt: skip
ANSWERS: dict[str, Any] = {
    "container": {
        "inspect": {
            "Name": "/jupyterhub", "Image": "sha256:0d", "State": {"Running": True},
            "Config": {"Image": f"https://u:{secret('image-url')}@registry/hub", "Env": [f"CONFIGPROXY_AUTH_TOKEN={secret('container-environment')}"], "Cmd": ["--token", secret("container-command")]},
            "HostConfig": {"Privileged": False}, "Mounts": [{"Destination": "/data", "Source": f"//u:{secret('mount-source')}@nas/data"}],
        },
        "others": {}, "text": "ID=ubuntu\nVERSION_ID=22.04\n",
    },
    "user": f"p:ana:x:1003:100:{secret('gecos')},password={secret('gecos-password')}:/home/ana:/bin/bash\np:old:{secret('passwd-field')}:1:1:x\ng:users:x:100:\n",
    "config": _file("/etc/jupyter/conf/jupyterhub_config.py", HUB_CONFIG)
    + _file("/etc/jupyter/conf/config.json", json.dumps(SPARK_CONFIG))
    + _file("/etc/jupyter/conf/broken.json", '{"password": "' + secret("broken-config")),
    "proxy": json.dumps({
        "running": True, "listens": [["127.0.0.1", 8001]], "without": 403, "wrong": 403, "version": "4.6.3",
        "routes": {"/x": {"target": f"http://u:{secret('route-target')}@h:1/?token={secret('route-query')}"}},
    }),
    "kernel": json.dumps([{
        "name": "python3", "folder": "/k/python3", "display_name": "Python 3", "language": "python", "command": f"/opt/conda/bin/python3?token={secret('kernel-command')}",
        "module": "ipykernel_launcher", "environment": ["TOKEN"], "runs": False, "why": f"ImportError: password={secret('kernel-error')}",
    }]),
}  # fmt: skip


def _look(_door: object, kinds: list[Any], _baseline: object) -> dict[str, Any]:
    return {kind.name: ANSWERS.get(kind.name, "") for kind in kinds}


def _break(place: str) -> None:
    """Have a function that works on secrets break down as a mistake of ours would: with an error that nobody expects."""
    if place == "hub":
        import requests.adapters

        def send(self: object, request: Any, **_more: Any) -> None:  # noqa: ARG001 - what is at hand is the point
            headers = dict(request.headers)
            raise RuntimeError(f"unexpected: {request.url}, {len(headers)} headers")

        requests.adapters.HTTPAdapter.send = send  # type: ignore[assignment,method-assign]
    elif place == "parse":

        def parse(answer: object) -> None:
            raise ZeroDivisionError(f"a mistake of ours with {answer}")

        for name in ("user", "config", "hub_user", "step"):
            KINDS[name] = type(KINDS[name])(**vars(KINDS[name]) | {"parse": parse})
    elif place == "mask":
        hubspec.masked._HINT = re.compile("(?!)")
    elif place == "report":
        import hubspec.report.junit as report

        def render(records: object, run: Any) -> str:
            raise ZeroDivisionError(f"a mistake of ours with {records} of {run.command}")

        report.render = render  # type: ignore[assignment]


def pytest_configure() -> None:
    """Plant them in the run that this is a plugin of; who imports it for its words changes nothing."""
    hubspec.collect._look = _look
    _break(os.environ.get("HUBSPEC_TEST_BREAK", ""))
