"""uid, home and shell of each person in stock pytest-testinfra: one property, one test, as its documentation writes it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

PEOPLE = json.loads(Path(os.environ["BENCH_PEOPLE"]).read_text())


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person["name"])
@pytest.mark.parametrize("field", ["uid", "home", "shell"])
def test_user(host: Host, person: dict[str, Any], field: str) -> None:
    assert getattr(host.user(person["name"]), field) == person[field]
