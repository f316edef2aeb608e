"""What the lab refuses before it touches anything; the lab itself is in tests/lab."""

from __future__ import annotations

import re

import pytest

from lab import base, containers, engine, images
from lab.model import LabError


def test_an_engine_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    with pytest.raises(LabError, match="on this machine"):
        engine.connect()


def test_a_named_engine_that_is_down_is_never_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/docker.sock")
    monkeypatch.setattr(engine, "may_install", pytest.fail)
    with pytest.raises(LabError, match="does not answer"):
        engine.ensure_engine(pytest.fail)


def test_installing_can_be_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPEC_INSTALL_ENGINE", "0")
    with pytest.raises(LabError, match=r"(?s)forbids it.*next: start a Docker engine yourself"):
        engine.may_install("start a Docker engine")


def test_an_index_password_never_reaches_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://me:canary@index.example/simple")
    with pytest.raises(LabError, match="carries a password") as caught:
        images.build_args()
    assert "canary" not in str(caught.value)


def test_only_index_settings_that_are_set_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*images.PASSED_ON, *images.PROXIES):
        monkeypatch.delenv(name, raising=False)
    assert images.build_args() == {}
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    assert images.build_args() == {"PIP_INDEX_URL": "https://index.example/simple"}


def test_the_hash_of_a_context_is_stable_and_its_own() -> None:
    mine = images.context_hash("hub", "1.5.0")
    assert mine == images.context_hash("hub", "1.5.0") != images.context_hash("hub", "0.8.1")
    assert images.context_hash("master", "1.5.0") == images.context_hash("master", "0.8.1") != mine
    assert re.fullmatch("[0-9a-f]{12}", mine)


def test_the_own_base_is_named_by_distribution() -> None:
    tag, words = base.own_base()
    assert tag.startswith("hubspec-lab/base:")
    assert words.endswith(", bootstrapped")


def test_a_taken_port_is_passed_over() -> None:
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        taken = int(holder.getsockname()[1])
        assert containers.free_port(taken) != taken
