"""Which proxy of the environment would catch an address, and what is said of it behind an error."""

from __future__ import annotations

import pytest

from hubspec.cluster import proxies
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.session import NoAnswerError, Session
from hubspec.errors import DoorError

AWS = "https://elasticmapreduce.eu-west-1.amazonaws.com"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("variables", "url", "caught"),
    [
        ({}, AWS, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, AWS, ("HTTPS_PROXY", "proxy:3128")),
        ({"https_proxy": "http://me:c4n4ry@proxy:3128"}, AWS, ("https_proxy", "proxy:3128")),
        ({"HTTPS_PROXY": "proxy:3128", "NO_PROXY": ".amazonaws.com"}, AWS, None),
        ({"HTTPS_PROXY": "proxy:3128", "NO_PROXY": "169.254.169.254"}, AWS, ("HTTPS_PROXY", "proxy:3128")),
        ({"HTTP_PROXY": "http://proxy:3128"}, AWS, None),
        ({"HTTP_PROXY": "http://proxy:3128"}, "http://192.0.2.1:2375", ("HTTP_PROXY", "proxy:3128")),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, AWS, None),
    ],
)
def test_catching(
    variables: dict[str, str], url: str, caught: tuple[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert proxies.catching(url) == caught
    assert set(proxies.named()) == set(variables)
    assert "c4n4ry" not in repr(proxies.named()) + proxies.blamed(url)
    assert bool(proxies.blamed(url)) == bool(proxies.unused(url)) == (caught is not None)


def test_aws_behind_a_proxy_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:c4n4ry@127.0.0.1:9")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    keys = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    with pytest.raises(NoAnswerError, match=r"HTTPS_PROXY sends it through the proxy 127.0.0.1:9: is that up") as told:
        Session(settings=keys, deadline=2).call("DescribeCluster", ClusterId="j-1")
    assert "put it into NO_PROXY" in str(told.value)
    assert "c4n4ry" not in str(told.value)


def test_an_engine_over_the_network_behind_a_proxy_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with pytest.raises(DoorError, match=r"no Docker engine answers at tcp://192.0.2.1:2375: .*HTTP_PROXY sends it"):
        DockerDoor("jupyterhub", deadline=2).run("echo here")


def test_an_engine_on_a_socket_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert proxies.of_engine("unix:///var/run/docker.sock") == ""
    assert proxies.of_engine("tcp://192.0.2.1:2375") != ""
