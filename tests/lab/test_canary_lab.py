"""Secrets in every place of a real cluster and of the job that audits it: none is in anything that an audit leaves or says."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import emr
import pytest

from lab import inside, proxy
from lab.breaks.model import Scene
from lab.model import HUB
from lab.provision import KERNELS
from tests.conftest import ROOT, Audit, Run

CONFIG = "/etc/jupyter/conf/jupyterhub_config.py"
LOUD = (
    *("-vv", "-l", "--showlocals", "--tb=long", "-rA", "--log-level", "DEBUG", "-o", "log_cli=true"),
    *("-o", "log_cli_level=DEBUG", "--report", "all"),
)
SOME = ("-k", "test_configs or test_kernels or test_routes or test_steps")
MISTAKES = """
import os, re
import hubspec.masked
from hubspec.kinds import KINDS

def parse(answer):
    raise ZeroDivisionError(f"a mistake of ours with {answer}")

if os.environ["HUBSPEC_TEST_BREAK"] == "mask":
    hubspec.masked._HINT = re.compile("(?!)")
else:
    for name in ("config", "kernel", "route", "step"):
        KINDS[name] = type(KINDS[name])(**vars(KINDS[name]) | {"parse": parse})
"""


def secret(place: str) -> str:
    return f"c4n4ry-{place}-5e7a91d0"


SETTINGS = f"""
c.JupyterHub.api_tokens = {{'{secret("api-tokens")}': 'ana'}}
c.JupyterHub.db_url = 'mysql://hub:{secret("database-url")}@db/hub'
c.LDAPAuthenticator.lookup_dn_search_password = '{secret("ldap-password")}'
c.Spawner.environment = {{'DB_PASSWORD': '{secret("spawner-environment")}'}}
c.Spawner.args = ['--NotebookApp.token={secret("spawner-argument")}', '--password', '{secret("spawner-next-argument")}']
"""
KERNEL = {
    "argv": ["/opt/conda/bin/python3", f"--token={secret('kernel-argument')}", "-f", "{connection_file}"],
    "env": {"API_TOKEN": secret("kernel-environment")}, "display_name": f"canary password={secret('kernel-name')}", "language": "python",
}  # fmt: skip
ROUTE = {
    "target": f"http://u:{secret('route-target')}@127.0.0.1:1/?token={secret('route-query')}",
    "jupyterhub": True, "token": secret("route-data"),
}  # fmt: skip
SCRIPT = f"""#!/bin/bash
echo "cannot open https://u:{secret("log-url")}@h/x?X-Amz-Signature={secret("log-signature")}" >&2
set -x
DB_PASSWORD={secret("log-assigned")} false
"""
PLANT = f"""set -e
cp -p {CONFIG} /run/canary-config
getent passwd ana | cut -d: -f5 > /run/canary-gecos
printf %s {shlex.quote(SETTINGS)} >> {CONFIG}
usermod -c 'ana password={secret("gecos")}' ana
mkdir -p {KERNELS}/canary
printf %s {shlex.quote(json.dumps(KERNEL))} > {KERNELS}/canary/kernel.json
"""
TAKE_BACK = f"""set -e
cp -p /run/canary-config {CONFIG}
usermod -c "$(cat /run/canary-gecos)" ana
rm -rf {KERNELS}/canary /run/canary-config /run/canary-gecos
"""
PROXYS = "tr '\\0' '\\n' < /proc/$(pgrep -f configurable-http-proxy | head -n 1)/environ | sed -n 's/^CONFIGPROXY_AUTH_TOKEN=//p'"


@pytest.fixture(scope="module")
def cluster(on: Scene) -> Iterator[str]:
    """Give the id of a cluster with secrets in its tags, its step and its log; the lab's container, hub and proxy are full of them too."""
    step = emr.step(
        "load", emr.put(on, "canary.sh", SCRIPT), "--password", secret("step-argument"), f"token={secret('step-assigned')}",
        f"https://u:{secret('step-url')}@h/?token={secret('step-query')}", jar=emr.SCRIPT_RUNNER,
    )  # fmt: skip
    tags = [{"Key": "db_password", "Value": secret("tag")}, {"Key": "page", "Value": f"https://u:{secret('tag-url')}@h"}]  # fmt: skip
    with contextlib.ExitStack() as undo:
        undo.callback(inside.must, on.client, HUB, TAKE_BACK)
        inside.must(on.client, HUB, PLANT)
        undo.callback(proxy.forget, on.client, "/canary")
        proxy.route(on.client, "/canary", ROUTE)
        made = undo.enter_context(emr.cluster(on, step, Tags=tags))
        emr.logs_arrived(on, made, "stderr.gz")
        yield made


def look(audit: Audit, on: Scene, cluster: str, folder: Path, *args: str, broken: str = "") -> Run:
    """Audit it as loudly as can be, by a job that has secrets of its own."""
    token = on.lab.token_file.read_text().strip()
    (folder / "baseline.yaml").write_text(
        f"extends: {ROOT}/{on.lab.baseline}\nsteps:\n  load: {{state: COMPLETED, arguments: [x]}}\n"
    )
    (folder / "canary_mistakes.py").write_text(MISTAKES)
    options = {
        "--cluster": cluster, "--baseline": str(folder / "baseline.yaml"), "--door": "docker", "--hub-url": on.lab.hub_url,
        "--hub-fingerprint": on.lab.hub_fingerprint, "--save-snapshot": str(folder / "seen.json"), "--results": str(folder / "results"),
        "--metrics": str(folder / "hubspec.prom"), "--notify-on": "always", "--notify-deadline": "5",
    }  # fmt: skip
    env = on.lab.aws_env | {
        "HUBSPEC_HUB_TOKEN": token, "HUBSPEC_SUDO_PASSWORD": secret("sudo-password"),
        "HUBSPEC_NOTIFY_URLS": f"json://u:{secret('notify-password')}@127.0.0.1:1/{secret('notify-path')}",
        "AWS_SECRET_ACCESS_KEY": secret("aws-secret"), "AWS_SESSION_TOKEN": secret("aws-session"),
        **({"HUBSPEC_TEST_BREAK": broken, "PYTHONPATH": str(folder)} if broken else {}),
    }  # fmt: skip
    words = [word for pair in options.items() for word in pair]
    return audit(*words, *LOUD, *args, *(("-p", "canary_mistakes") if broken else ()), env=env)


def leaks(run: Run, folder: Path, *real: str) -> dict[str, list[str]]:
    """Return secret -> where it was found, on the terminal or in a file that the audit left; `real` ones are shown by their number."""
    texts = {"terminal": run.text}
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "canary_mistakes.py":
            body = path.read_bytes()
            body = gzip.decompress(body) if path.suffix == ".gz" else body
            texts[str(path.relative_to(folder))] = body.decode(errors="replace")
    found: dict[str, set[str]] = {}
    for name, text in texts.items():
        for place in re.findall(r"c4n4ry-([a-z-]+)-5e7a91d0", text):
            found.setdefault(place, set()).add(name)
        for number, value in enumerate(real):
            if value in text:
                found.setdefault(f"real {number}", set()).add(name)
    return {place: sorted(names) for place, names in found.items()}


def test_no_secret_is_in_what_an_audit_leaves(on: Scene, cluster: str, audit: Audit, tmp_path: Path) -> None:
    run = look(audit, on, cluster, tmp_path, "--remediate=plan")
    of_the_proxy = inside.must(on.client, HUB, PROXYS).strip()
    token = on.lab.token_file.read_text().strip()
    assert min(len(of_the_proxy), len(token)) > 30

    assert leaks(run, tmp_path, token, of_the_proxy) == {}
    assert run.code == 1, run.text[-3000:]
    assert "nobody was told: " in run.text, "it was tried, with what is in that address"
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    wanted = {
        "report.html",
        "junit.xml",
        "report.sarif",
        "code-scanning.sarif",
        "records.csv",
        "summary.md",
        "hdf.json",
        "plan.json",
        "run.json",
    }
    assert wanted | {"seen.json", "hubspec.prom", "latest.json"} <= left, sorted(left)
    assert any(name.endswith(".json.gz") for name in left)
    # It was read, and what stands in its place is shown.
    seen = {(one["kind"], one["resource"]): json.dumps(one) for one in run.records}
    assert "token=***" in seen["step", "load"]
    assert "DB_PASSWORD=***" in seen["step", "load"]
    assert "http://u:***@127.0.0.1:1/?token=***" in seen["route", "*"]
    assert "canary password=***" in seen["kernel", "*"]


@pytest.mark.parametrize("broken", ["mask", "parse"])
def test_a_mistake_of_ours_tells_none_and_what_is_not_masked_would_be_found(
    broken: str, on: Scene, cluster: str, audit: Audit, tmp_path: Path
) -> None:
    found = leaks(look(audit, on, cluster, tmp_path, *SOME, broken=broken), tmp_path)

    if broken == "parse":
        assert found == {}
        return
    assert {"route-target", "kernel-name", "step-assigned", "log-assigned"} <= found.keys()
    assert {"terminal", "seen.json", "reports/latest/report.html"} <= {
        name for names in found.values() for name in names
    }
    mine = {"sudo-password", "notify-password", "notify-path", "aws-secret", "aws-session", "gecos"}
    assert not found.keys() & mine, "no masking keeps these in: they are printed nowhere to begin with"
