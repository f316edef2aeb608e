"""README's and the how-to pages' commands are run as they stand; only the cluster's id and the token's file are the lab's."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

import lab
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "docs" / "steps.md"]
BLOCKS = [
    block for page in PAGES for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
]
SAYS = {
    "make audit": "68 compliant",
    "break diego-missing": "user diego is missing",
    "checks/ --cluster j-2AXXXXXXGAPLF": "68 compliant",
    "--save-snapshot": "68 compliant",
    "checks/ --cluster lab --smoke": "70 compliant",
    "checks/test_steps.py --cluster j-2AXXXXXXGAPLF": "8 compliant",
    "checks/smoke --cluster lab": "2 compliant",
    "break step-failed": "step docker-client differs in state",
}


def test_readme_has_the_commands_that_are_run_here() -> None:
    untold = [block for block in BLOCKS if not any(mark in block for mark in SAYS)]

    assert untold == ["make test\n"], "that one is running"


@pytest.mark.parametrize("mark", SAYS)
def test_block(mark: str) -> None:
    here = lab.up(print)
    (block,) = [block for block in BLOCKS if mark in block]
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
    assert SAYS[mark] in done.stdout
    assert here.token_file.read_text().strip() not in done.stdout + done.stderr
