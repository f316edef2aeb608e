"""README's and the how-to pages' commands are run as they stand; only the cluster's id and the token's file are the lab's."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

import lab
from tests.conftest import ROOT

PAGES = [
    *("README.md", "docs/steps.md", "docs/remediation.md", "docs/init.md", "docs/script.md", "docs/smoke.md"),
    *("docs/token-auth.md", "docs/doctor.md"),
]
BLOCKS = [
    (page, block)
    for page in PAGES
    for block in re.findall(r"^```sh\n(.*?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
]
WHOLE = 98
"""Checks of the lab's own baseline."""
SAYS = [
    # page, what marks the block, what it prints
    ("README.md", "make audit", f"{WHOLE} compliant"),
    ("README.md", "-k diego", "user diego is missing"),
    ("README.md", "--cluster j-2AXXXXXXGAPLF", f"{WHOLE} compliant"),
    ("README.md", "--save-snapshot", f"{WHOLE} compliant"),
    ("README.md", "--smoke", f"{WHOLE + 13} compliant"),
    ("README.md", "--remediate=safe", "1 fixed"),
    ("docs/steps.md", "--cluster j-2AXXXXXXGAPLF", "8 compliant"),
    ("docs/steps.md", "checks/smoke --cluster lab", "2 compliant"),
    ("docs/smoke.md", "--smoke=server\n", "5 compliant"),
    ("docs/smoke.md", "break kernel-silent", "1 drifted"),
    ("docs/steps.md", "break step-failed", "step docker-client differs in state"),
    ("docs/remediation.md", "break diego-missing", "1 fixed"),
    ("docs/remediation.md", "--via step", "2 fixed"),  # he himself, and the group that he was in
    ("docs/script.md", "hubspec script", ""),
    ("docs/doctor.md", "hubspec doctor", "all that an audit needs works"),
    ("docs/init.md", "hubspec init", " compliant"),
    ("docs/init.md", "hubspec diff", "no difference"),
    ("docs/token-auth.md", "--smoke=auth", "6 compliant"),
]


def test_the_commands_of_the_pages_are_run_here() -> None:
    untold = [one for one in BLOCKS if not any(page == one[0] and mark in one[1] for page, mark, _ in SAYS)]

    assert untold == [("README.md", "make test\n")], "that one is running"


@pytest.mark.parametrize(("page", "mark", "says"), SAYS)
def test_block(page: str, mark: str, says: str) -> None:
    here = lab.up(print)
    (block,) = [block for name, block in BLOCKS if name == page and mark in block]
    script = block.replace("j-2AXXXXXXGAPLF", here.cluster_id).replace("~/.hubspec-token", str(here.token_file))
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HUBSPEC_", "PYTEST_", "AWS_"))}
    variables: dict[str, str] = {}
    if here.cluster_id in script:
        variables = here.aws_env | {"HUBSPEC_HUB_URL": here.hub_url, "HUBSPEC_HUB_FINGERPRINT": here.hub_fingerprint}
        variables |= {"HUBSPEC_CONTAINER_LABEL": here.label}
    path = f"{ROOT}/.venv/bin:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=ROOT,
        env={**clean, **variables, "PATH": path},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert says in done.stdout
    assert here.token_file.read_text().strip() not in done.stdout + done.stderr
