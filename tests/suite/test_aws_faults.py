"""An EMR API that refuses: an error with the missing permission or setting, and exit code 11; 4 for no such cluster."""

from __future__ import annotations

import pytest

from tests.conftest import Audit
from tests.unit.aws_server import Refusal, serving

KEYS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.mark.parametrize(
    ("code", "exit_code", "sentence"),
    [
        ("AccessDeniedException", 11, "allow elasticmapreduce:DescribeCluster"),
        ("ExpiredTokenException", 11, "does not accept the credentials (ExpiredTokenException): sign in again"),
        ("InternalServerException", 11, "AWS refused DescribeCluster: InternalServerException"),
        ("InvalidRequestException", 4, "there is no cluster j-A in this account and region"),
    ],
)
def test_refused(audit: Audit, code: str, exit_code: int, sentence: str) -> None:
    with serving({"DescribeCluster": [Refusal(code)]}) as (variables, _):
        run = audit("--cluster", "j-A", checks="checks/test_cluster.py", env={**KEYS, **variables})

    assert sentence in run.text
    assert run.code == exit_code


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "there are no AWS credentials: set AWS_PROFILE"),
        ({"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}, "no AWS region is set"),
        (KEYS | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "the EMR API does not answer"),
    ],
)
def test_no_way_to_ask(audit: Audit, env: dict[str, str | None], sentence: str) -> None:
    nowhere: dict[str, str | None] = {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
    run = audit("--cluster", "j-A", checks="checks/test_cluster.py", env={**nowhere, **env})

    assert sentence in run.text
    assert run.code == 11


def test_a_clock_an_hour_late_and_a_proxy_that_is_down(audit: Audit) -> None:
    late = Refusal(
        "InvalidSignatureException", "Signature expired: 20261123T090000Z is now earlier than 20261123T095500Z"
    )
    with serving({"DescribeCluster": [late]}, ahead=3600) as (variables, _):
        clock = audit("--cluster", "j-A", checks="checks/test_cluster.py", env={**KEYS, **variables})
    proxy = audit(
        *("--cluster", "j-A"),
        checks="checks/test_cluster.py",
        env={**KEYS, "HTTPS_PROXY": "http://127.0.0.1:9"},
        into="proxy",
    )

    assert "the clock of this machine is 60 minutes behind (here it is " in clock.text
    assert "HTTPS_PROXY sends it through the proxy 127.0.0.1:9: is that up?" in proxy.text
    assert (clock.code, proxy.code) == (11, 11)
