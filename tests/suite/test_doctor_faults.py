"""What the doctor says where AWS, the clock, a proxy or the hub is what is broken; the ways through ssh are tried in the lab."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hubs import Answer, answer, running

from hubspec.__main__ import main
from tests.certificates import certificate, pair
from tests.unit.aws_server import LOST, Refusal, serving

TOKEN = "canary-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
WHO = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/ana</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
GROUPS = """<DescribeSecurityGroupsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><securityGroupInfo><item>
<groupId>sg-1</groupId></item></securityGroupInfo></DescribeSecurityGroupsResponse>"""
CLUSTER = {"Cluster": {"Id": "j-1", "Status": {"State": "WAITING"}, "ReleaseLabel": "emr-7.1.0", "LogUri": "s3://logs/emr/",
                       "Applications": [{"Name": "JupyterHub", "Version": "1.5.0"}], "MasterPublicDnsName": "127.0.0.1",
                       "Ec2InstanceAttributes": {"EmrManagedMasterSecurityGroup": "sg-1"}}}  # fmt: skip
AWS: dict[str, list[Any]] = {
    "GetCallerIdentity": [WHO],
    "DescribeCluster": [CLUSTER],
    "ListSteps": [{"Steps": [], "Marker": ""}],
    "ListInstances": [{"Instances": [{"Id": "ci-1", "Ec2InstanceId": "i-1"}]}],
    "ListBootstrapActions": [{"BootstrapActions": []}],
    "GetAutoTerminationPolicy": [{}],
    "DescribeSecurityGroups": [GROUPS],
    "DescribeInstanceInformation": [{"InstanceInformationList": [{"InstanceId": "i-1", "PingStatus": "Online"}]}],
    "GetObject": [Refusal("NoSuchKey")],
}
HUB: dict[str, Answer] = {
    "": answer(200, b'{"version": "1.5.0"}'),
    "/user": answer(200, b'{"name": "jovyan", "admin": true}'),
}
DENIED = Refusal("AccessDeniedException", "User: ana is not authorized")
LATE = Refusal("SignatureDoesNotMatch", "Signature expired: 20261123T090000Z is now earlier than 20261123T095500Z")
FORBIDDEN = answer(403, b'{"status": 403, "message": "Forbidden"}')


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Give a function that has the doctor look at j-1 with these AWS and hub, and returns row -> (state, words) and the code."""
    for name in ("HUBSPEC_BASELINE", "AWS_PROFILE", "AWS_REGION", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("HUBSPEC_HUB_TOKEN", TOKEN)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it keeps the credentials of the first who asked
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    monkeypatch.setattr("botocore.retries.adaptive.ClientRateLimiter.on_sending_request", lambda *_, **__: None)

    def run(
        *args: str,
        aws: dict[str, Any] | None = None,
        hub: dict[str, Answer] | None = None,
        ahead: float = 0,
        pin: bool = True,
        cluster: str = "j-1",
    ) -> tuple[dict[str, tuple[str, str]], int]:
        with serving(AWS | (aws or {}), ahead) as (variables, asked), running(HUB | (hub or {}), tmp_path) as served:
            for name, value in variables.items():
                if name not in absent:
                    monkeypatch.setenv(name, value)
            pinned = ("--hub-fingerprint", served.fingerprint) if pin else ()
            code = main(
                ["doctor", "--cluster", cluster, "--hub-url", served.url, "--deadline", "2", "--json", *pinned, *args]
            )
        run.calls = {call for call, _ in asked}  # type: ignore[attr-defined] # what was asked of AWS
        text, run.err = capsys.readouterr()  # type: ignore[attr-defined] # what was said meanwhile
        assert TOKEN not in text
        (document,) = json.loads(text)
        assert document["code"] == code
        found = {}
        for one in document["findings"]:
            state = one["state"] if one["needed"] or one["state"] != "fails" else "shut"
            found[f"{one['section']}.{one['name']}"] = (state, f"{one['found']} -> {one['fix']}")
        return found, code

    absent: set[str] = set()
    run.absent = absent  # type: ignore[attr-defined] # which AWS variables are left out
    return run


def broken(rows: dict[str, tuple[str, str]]) -> list[str]:
    """Return the rows that fail, of those that an audit needs."""
    return [row for row, (state, _) in rows.items() if state == "fails"]


ENGINE, SSH = ["door.docker"], ["door.reached"]
"""There is neither in these tests."""
MACHINE = "ssh://me@127.0.0.1:1"
"""Of which AWS is not asked: that is quicker."""


def test_what_works_is_told_and_what_does_not_keeps_nothing_else_from_it(told: Any) -> None:
    rows, code = told()

    assert code == 11
    assert broken(rows) == ENGINE
    assert rows["door.docker"][1].startswith("no Docker engine answers at tcp://127.0.0.1:1")
    assert rows["container.conda"] == ("not tried", "needs door: docker -> ")
    assert rows["container.proxy"] == ("not tried", "needs container: running -> ")
    assert rows["aws.credentials"] == ("works", "arn:aws:iam::123456789012:user/ana, account 123456789012 -> ")
    assert rows["aws.DescribeCluster"][1] == "WAITING, emr-7.1.0, JupyterHub 1.5.0 -> "
    assert rows["aws.GetObject"] == ("works", "the logs in s3://logs/emr/j-1/steps/ may be read -> ")
    assert rows["hub.rights"] == ("works", "an admin -> ")
    assert {rows[f"clock.{one}"][0] for one in ("aws", "hub")} == {"works"}


def test_every_call_that_aws_refuses_is_told_with_what_it_takes(told: Any) -> None:
    rows, code = told(
        aws={
            **{
                name: [DENIED]
                for name in ("ListSteps", "ListInstances", "ListBootstrapActions", "GetAutoTerminationPolicy")
            },
            "DescribeSecurityGroups": [Refusal("UnauthorizedOperation")],
            "GetObject": [Refusal("AccessDenied")],
        }
    )
    denied = {
        row.removeprefix("aws."): words
        for row, (state, words) in rows.items()
        if row.startswith("aws.") and state != "works"
    }

    assert code == 11
    assert list(denied) == ["ListSteps", "ListInstances", "ListBootstrapActions", "GetAutoTerminationPolicy",
                            "DescribeSecurityGroups", "GetManagedPrefixListEntries", "GetObject"]  # fmt: skip
    assert denied["ListSteps"] == (
        "AWS refuses ListSteps (User: ana is not authorized) -> allow elasticmapreduce:ListSteps (docs/iam/audit.json)"
    )
    assert denied["GetAutoTerminationPolicy"].endswith("(docs/iam/audit.json); without it idle_timeout cannot be read")
    assert (
        "allow ec2:DescribeSecurityGroups (docs/iam/audit.json); without it world_ports"
        in denied["DescribeSecurityGroups"]
    )
    assert "allow s3:GetObject (docs/iam/audit.json)" in denied["GetObject"]
    assert rows["aws.GetObject"][0] == "shut", "no audit needs it"
    assert rows["hub.rights"][0] == "works"


@pytest.mark.parametrize(
    ("aws", "row", "words"),
    [
        ({"DescribeCluster": [DENIED]}, "aws.DescribeCluster", "allow elasticmapreduce:DescribeCluster (docs/iam/audit.json)"),
        ({"DescribeCluster": [Refusal("InvalidRequestException", "Cluster id 'j-1' is not valid.")]}, "aws.DescribeCluster",
         "there is no cluster j-1 in this account and region -> Cluster id 'j-1' is not valid.; is that the id, and is us-east-1 its region?"),
        ({"GetCallerIdentity": [Refusal("ExpiredToken")]}, "aws.credentials",
         "AWS does not accept the credentials (ExpiredToken) -> sign in again"),
    ],
)  # fmt: skip
def test_aws_refuses(told: Any, aws: dict[str, Any], row: str, words: str) -> None:
    rows, code = told(aws=aws)

    assert words in rows[row][1]
    assert broken(rows) == [row, *ENGINE]
    assert rows["aws.ListSteps"] == ("not tried", f"needs {row.replace('.', ': ')} -> ")
    assert rows["hub.rights"][0] == "works"
    assert code == 11


def test_who_asks_is_told_where_sts_does_not_answer(told: Any) -> None:
    rows, _ = told(aws={"GetCallerIdentity": [LOST]})

    assert rows["aws.credentials"][0] == "mind"
    assert rows["aws.DescribeCluster"][0] == "works"


def test_a_clock_an_hour_from_aws(told: Any) -> None:
    rows, _ = told(aws={"GetCallerIdentity": [LATE]}, ahead=3600)

    assert broken(rows) == ["clock.aws", *ENGINE]
    assert "the clock of this machine is 60 minutes behind (here it is " in rows["clock.aws"][1]
    assert "-> set the clock (sudo timedatectl set-ntp true)" in rows["clock.aws"][1]
    assert rows["aws.credentials"] == ("not tried", "needs clock: aws -> ")
    assert rows["aws.ListSteps"][0] == "not tried"


def test_clocks_that_are_a_little_apart_are_told(told: Any) -> None:
    rows, _ = told(ahead=120)

    assert rows["clock.aws"][0] == "mind"
    assert "s before this machine's" in rows["clock.aws"][1]


@pytest.mark.parametrize(
    ("without", "row", "words"),
    [
        (
            {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
            "aws.credentials",
            "there are no AWS credentials -> set AWS_PROFILE",
        ),
        ({"AWS_DEFAULT_REGION"}, "aws.region", "no AWS region is set -> set AWS_DEFAULT_REGION"),
    ],
)
def test_nothing_to_ask_aws_with(
    told: Any, without: set[str], row: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.absent.update(without)
    for name in (*without, "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    rows, _ = told()

    assert broken(rows) == [row, *ENGINE]
    assert words in rows[row][1]
    assert rows["aws.ListSteps"][0] == "not tried"


def test_a_proxy_that_is_down(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:c4n4ry@127.0.0.1:9")
    told.absent.add("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    rows, _ = told()

    assert broken(rows) == ["proxy.aws", *ENGINE]
    assert "HTTPS_PROXY sends what is asked of AWS through 127.0.0.1:9, where nobody listens" in rows["proxy.aws"][1]
    assert rows["proxy.environment"][1] == "HTTPS_PROXY=127.0.0.1:9 -> "
    assert rows["proxy.hub"] == (
        "mind",
        "HTTPS_PROXY would catch the hub's address; hubspec asks the hub without a proxy, always -> ",
    )
    assert rows["aws.credentials"] == ("not tried", "needs proxy: aws -> ")
    assert rows["hub.rights"][0] == "works"


@pytest.mark.parametrize(
    ("hub", "row", "words"),
    [
        ({"/user": FORBIDDEN}, "hub.accepted", "the hub does not take the token: it is wrong, expired or revoked"),
        ({"/user": answer(200, b'{"name": "ana", "admin": false}')}, "hub.rights", "ana is no admin of the hub -> give the token of one"),
        ({"/user": answer(200, b'{"name": "ana", "admin": true, "scopes": ["list:users", "read:hub"]}')}, "hub.rights",
         "the token lacks "),
        ({"": answer(200, b"<html>")}, "hub.version", "answered no JSON"),
        ({"": answer(302, Location="https://evil.example/")}, "hub.version", "a redirect to evil.example"),
        ({"": answer(503, b"")}, "hub.version", "answered 503"),
    ],
)  # fmt: skip
def test_a_hub_that_is_not_as_it_should_be(told: Any, hub: dict[str, Answer], row: str, words: str) -> None:
    rows, code = told(hub=hub, cluster=MACHINE)

    assert words in rows[row][1]
    assert broken(rows) == [*SSH, row]
    assert code == 11


def test_certificates(told: Any, tmp_path: Path) -> None:
    def tls(*args: str) -> tuple[str, str]:
        rows, _ = told(*args, pin=False, cluster=MACHINE)
        assert (rows["hub.version"][0] == "not tried") == (rows["hub.tls"][0] == "fails")
        return rows["hub.tls"]

    state, words = tls()
    fingerprint = words.partition("SHA-256 ")[2][:64]
    assert state == "fails"
    assert f"it is self-signed; SHA-256 {fingerprint} -> --hub-fingerprint {fingerprint}, once it is the same" in words
    assert tls("--hub-fingerprint", fingerprint)[0] == "works"
    assert tls("--hub-fingerprint", "0" * 64)[1].startswith(
        f"the certificate is not the pinned one: it has SHA-256 {fingerprint}"
    )
    assert tls("--insecure") == (
        "mind",
        f"any certificate is believed (--insecure); this one is self-signed -> --hub-fingerprint {fingerprint}",
    )
    key = ec.generate_private_key(ec.SECP256R1())
    pair(tmp_path, key, certificate(key, days=(-2, -1)))
    assert "it is expired; SHA-256" in tls()[1]


def test_a_name_that_cannot_be_looked_up(told: Any) -> None:
    rows, code = told(aws={"ListClusters": [DENIED]}, cluster="name:reports")

    assert broken(rows) == ["aws.ListClusters"]
    assert "AWS refuses ListClusters: allow elasticmapreduce:ListClusters" in rows["aws.ListClusters"][1]
    assert rows["aws.credentials"][0] == "works"
    assert code == 11


def test_nobody_at_the_hub_and_no_token(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUBSPEC_HUB_TOKEN")
    rows, _ = told("--hub-url", "https://127.0.0.1:1", cluster=MACHINE)

    assert broken(rows) == [*SSH, "hub.reached", "hub.token"]
    assert "127.0.0.1:1 is not reached from here (" in rows["hub.reached"][1]
    assert "there is no hub token -> set HUBSPEC_HUB_TOKEN" in rows["hub.token"][1]
    assert rows["hub.tls"] == ("not tried", "needs hub: reached -> ")


def test_a_token_that_an_audit_would_make_is_not_made(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUBSPEC_HUB_TOKEN")
    rows, _ = told("--mint-token", "jovyan", cluster=MACHINE)

    assert rows["hub.token"][0] == "not tried"
    assert "an audit makes one for jovyan in the container" in rows["hub.token"][1]
    assert broken(rows) == SSH
    monkeypatch.setenv("HUBSPEC_MINT_TOKEN", "jovyan")
    assert told(cluster=MACHINE)[0]["hub.token"][0] == "not tried"
    monkeypatch.setenv("HUBSPEC_HUB_TOKEN", TOKEN)
    assert told(cluster=MACHINE)[0]["hub.rights"][0] == "works", (
        "the one that there is counts before one that could be made"
    )


def test_one_that_hangs_does_not_stop_the_rest(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()
    monkeypatch.setattr("hubspec.cluster.preflight.PATIENCE", 0.1)
    monkeypatch.setattr("hubspec.doctor.command.LIMIT", 0.5)
    hung: dict[str, Answer] = {"/user": lambda _request: end.wait(20) and None}
    try:
        rows, code = told(hub=hung, cluster=MACHINE)
    finally:
        end.set()

    assert broken(rows) == [*SSH, "hub.accepted"]
    assert code == 11
    assert "ssh://me@127.0.0.1:1: still at hub: accepted, rights; at most 1 s" in told.err


@pytest.mark.parametrize(
    ("name", "aws", "state", "words"),
    [
        ("ssm", {}, "not tried", "the SSM agent of i-1 is online; no command is sent to try it (docs/iam/door-ssm.json)"),
        ("ssm", {"DescribeInstanceInformation": [{"InstanceInformationList": [{"InstanceId": "i-1", "PingStatus": "ConnectionLost"}]}]},
         "fails", "the SSM agent of i-1 is ConnectionLost -> give the cluster's instance profile AmazonSSMManagedInstanceCore"),
        ("ssm", {"DescribeInstanceInformation": [{"InstanceInformationList": []}]}, "fails", "SSM does not know the master instance i-1"),
        ("ssm", {"DescribeInstanceInformation": [DENIED]}, "fails", "allow ssm:DescribeInstanceInformation"),
        ("step", {}, "not tried", "a script would go to s3://logs/emr/hubspec/, and its answer come with the step's log"),
        ("step", {"DescribeCluster": [{"Cluster": CLUSTER["Cluster"] | {"LogUri": ""}}]}, "fails", "the cluster has no log URI in S3"),
    ],
)  # fmt: skip
def test_the_doors_by_aws_are_judged_and_not_tried(
    told: Any, name: str, aws: dict[str, Any], state: str, words: str
) -> None:
    rows, code = told("--door", name, "--deadline", "1", aws=aws, hub={"": lambda _request: time.sleep(1.5)})

    assert rows[f"door.{name}"][0] == state
    assert words in rows[f"door.{name}"][1]
    assert rows["container.running"][0] == "not tried"
    assert rows["hub.version"][0] == "fails", "nobody looks into the container for a word more"
    assert code == 11
    assert told.calls & {"SendCommand", "AddJobFlowSteps", "PutObject"} == set()


SETTINGS = """
fail-on = "new"
deadline = 60
[[clusters]]
match = "ssh://me@*"
door = "ssh"
"""


def test_several_clusters_and_where_their_settings_come_from(
    told: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machines = [MACHINE, MACHINE.replace("me", "you")]
    (tmp_path / "nightly.toml").write_text(SETTINGS)
    hub = ("--hub-url", "https://127.0.0.1:1", "--json", "--deadline", "2")
    settings = ("--hubspec-config", str(tmp_path / "nightly.toml"))
    code = main(["doctor", *(word for one in machines for word in ("--cluster", one)), *hub, *settings])
    text, said = capsys.readouterr()
    documents = json.loads(text)

    assert code == 11
    assert [one["cluster"] for one in documents] == machines
    assert told
    assert said.splitlines()[:2] == [
        "settings: cluster, hub-url, deadline (command line); hub token (HUBSPEC_HUB_TOKEN)",
        f"settings of {MACHINE}: door (nightly.toml, ssh://me@*)",
    ]


def test_the_table(told: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with serving(AWS) as (variables, _):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        code = main(["doctor", "--cluster", "j-1", "--hub-url", "https://127.0.0.1:1", "--deadline", "2"])
    text = capsys.readouterr().out

    assert code == 11
    assert text.startswith("j-1\n\ntools\n  python ")
    assert max(map(len, text.splitlines())) <= 110
    assert "  docker                         FAILS       no Docker engine answers at tcp://127.0.0.1:1" in text
    assert "2 of what an audit needs fails, " in text
    assert "first mend door: docker\n-> start it" in text
    assert TOKEN not in text
    assert told


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "of which cluster? Give --cluster j-XXX"),
        (["--cluster", "lab"], 'eval "$(python -m lab env)"'),
        (["--cluster", "x"], "--cluster x: wanted an id of EMR"),
        (["--cluster", "j-1", "--baseline", "/no/such"], "/no/such"),
    ],
)
def test_wrong_use(
    args: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUBSPEC_CLUSTER", raising=False)
    assert main(["doctor", *args]) == 4
    assert words in capsys.readouterr().err
