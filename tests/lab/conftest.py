"""What the tests of the lab share."""

from __future__ import annotations

from collections.abc import Iterator

import emr
import pytest

from lab.breaks.model import Scene


@pytest.fixture(scope="module")
def on() -> Iterator[Scene]:
    """Give the engine and the lab, up."""
    with emr.scene() as scene:
        yield scene
