"""What the process of the browser says of a login holds no password, and is whole whatever the password is."""

from __future__ import annotations

import base64
import json

import pytest

from hubspec.cluster.browser_page import without

SHOT = base64.b64encode(bytes(range(256))).decode()


@pytest.mark.parametrize("password", ["x", "ok", "shot", "A", 'a"b', "back\\slash", "long-and-random-it-is", "é"])
def test_a_password_is_in_no_word_and_breaks_nothing(password: str) -> None:
    end = {"ok": True, "words": f"refused: {password}.", "path": f"/{password}", "title": password, "shot": SHOT}
    shown = without(password, end)

    assert shown == {"ok": True, "words": "refused: ***.", "path": "/***", "title": "***", "shot": SHOT}
    assert list(shown) == list(end)
    assert base64.b64decode(shown["shot"]) == bytes(range(256))
    assert password not in json.loads(json.dumps(shown))["words"]


def test_an_error_holds_no_password() -> None:
    assert without("sesame", {"error": 'fill("sesame") timed out'}) == {"error": 'fill("***") timed out'}
