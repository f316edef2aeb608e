"""The lab itself: an EMR that runs, found, used, broken and mended, on the engine of this machine."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

import lab
from hubspec.kinds import KINDS
from lab import breaks, containers, engine, hub, inside, state
from lab.breaks import BREAKS, RefusedError
from lab.model import HUB, LABEL, MASTER, Lab, LabError
from lab.turn import turn
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient

HEARS = 0.7


@pytest.fixture(scope="session")
def here() -> Lab:
    return lab.up(lambda text: print(text, file=sys.stderr))


@pytest.fixture(scope="session")
def client(here: Lab) -> Iterator[DockerClient]:
    assert here.container == HUB
    found = engine.connect()
    assert found is not None
    yield found
    found.close()


def command(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "lab", *words], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


def in_hub(client: DockerClient, script: str) -> str:
    return inside.must(client, HUB, script)


@cache
def emr_of(here: Lab) -> Any:
    return boto3.client("emr", **keys(here))


@cache
def ec2_of(here: Lab) -> Any:
    return boto3.client("ec2", **keys(here))


def cluster(here: Lab) -> dict[str, Any]:
    return dict(emr_of(here).describe_cluster(ClusterId=here.cluster_id)["Cluster"])


def keys(here: Lab) -> dict[str, Any]:
    env = here.aws_env
    return {
        "endpoint_url": env["AWS_ENDPOINT_URL"],
        "region_name": env["AWS_DEFAULT_REGION"],
        "aws_access_key_id": env["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": env["AWS_SECRET_ACCESS_KEY"],
    }


LOOK = r"""
cat /etc/os-release; getent passwd | awk -F: '$3 >= 1000'; getent group | awk -F: '$3 >= 1000 {print $1, $3}'; for u in jovyan diego shirley ana; do id $u; done
awk -F: '{print $1, ($2 ~ /^[!*]/)}' /etc/shadow
perl -e '@f = split /:/, (grep /^jovyan:/, <STDIN>)[0]; print "default\n" if crypt("jupyter", $f[1]) eq $f[1]' < /etc/shadow
stat -c '%n %a %U %G' /etc/jupyter/* /etc/jupyter/conf/*; sha256sum /etc/jupyter/*.py /etc/jupyter/conf/*.py /etc/jupyter/conf/*.json
find /opt/conda/share/jupyter/kernels /usr/local/share/jupyter /home/*/.local -name kernel.json -exec sha256sum {} + 2>/dev/null
sha256sum /opt/conda/bin/jupyterhub-singleuser /etc/pam.d/login /etc/login.defs; ls -A /etc/skel
openssl x509 -noout -dates -in /etc/jupyter/conf/server.crt | sed 's/ ..:..:.. / /'
openssl x509 -noout -text -in /etc/jupyter/conf/server.crt | grep Public-Key
for p in /opt/conda /opt/conda/envs/analysis; do
  for f in $p/conda-meta/*.json; do [ -e $f ] && basename $f; [ -e $f ] && grep '"requested_spec"' $f; done
  ls -d $p/lib/python3*/site-packages/*.dist-info; [ ! -e $p/conda-meta/pinned ] || cat $p/conda-meta/pinned
done"""


# Another certificate is a new one each time that it is made, and the old one when it is taken back.
PAIR = "sha256sum /etc/jupyter/conf/server.*"
# The hub does not tell of a route without its mark. Who keeps the token from the proxy has it open.
TABLE = r"""
import glob, json, urllib.request
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        if b"/configurable-http-proxy\0" in open(path, "rb").read():
            pairs = open(path.replace("cmdline", "environ"), "rb").read().decode().split("\0")
    except OSError:
        continue
token = dict(pair.partition("=")[::2] for pair in pairs).get("CONFIGPROXY_AUTH_TOKEN", "")
url, headers = "http://127.0.0.1:8001/api/routes", {"Authorization": "token " + token}
told = json.load(urllib.request.urlopen(urllib.request.Request(url, headers=headers)))
print(sorted((name, entry["target"]) for name, entry in told.items()))
"""


def aws_state(here: Lab, about: dict[str, Any]) -> dict[str, Any]:
    """What AWS tells beyond DescribeCluster; a call that is refused is told by its error's code."""
    emr, ec2, mine = emr_of(here), ec2_of(here), {"ClusterId": here.cluster_id}
    nodes, life = about["Ec2InstanceAttributes"], about["Status"]["Timeline"]
    groups = [nodes["EmrManagedMasterSecurityGroup"], *nodes["AdditionalMasterSecurityGroups"]]
    security = {"Name": about["SecurityConfiguration"]}
    calls: dict[str, Callable[[], Any]] = {
        "steps": lambda: [told_step(step, life) for step in emr.list_steps(**mine)["Steps"]],
        "bootstrap": lambda: emr.list_bootstrap_actions(**mine)["BootstrapActions"],
        "instances": lambda: len(emr.list_instances(**mine, InstanceGroupTypes=["MASTER"])["Instances"]),
        "policy": lambda: emr.get_auto_termination_policy(**mine).get("AutoTerminationPolicy"),
        "security": lambda: emr.describe_security_configuration(**security)["SecurityConfiguration"],
        "security groups": lambda: [
            g["IpPermissions"] for g in ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]
        ],
    }
    seen: dict[str, Any] = {}
    for name, call in calls.items():
        try:
            seen[name] = call()
        except ClientError as error:
            seen[name] = error.response["Error"]["Code"]
    return seen


def told_step(step: dict[str, Any], life: dict[str, Any]) -> tuple[Any, ...]:
    """A step without its seconds: a break that is applied anew may submit its step at another one."""
    status, config = step["Status"], step["Config"]
    made = status["Timeline"]["CreationDateTime"]
    when = "older" if made < life["CreationDateTime"] else "at launch" if made <= life["ReadyDateTime"] else "later"
    return step["Name"], status["State"], config["Jar"], config["Args"], when


def whole_state(here: Lab, client: DockerClient) -> dict[str, Any]:
    """Everything a break may touch, as the engine, the container, the hub and AWS tell it."""
    about = cluster(here)
    seen: dict[str, Any] = {"cluster": {**about, "Status": about["Status"]["State"]}, **aws_state(here, about)}
    seen["containers"] = sorted(box.name or "" for box in client.containers.list(all=True, filters={"label": LABEL}))
    box = containers.found(client, HUB)
    if box is None:
        return seen
    host = box.attrs["HostConfig"]
    seen["image"], seen["status"] = (box.attrs["Config"]["Image"], box.attrs["Image"]), box.status
    seen["options"] = {key: host[key] for key in ("RestartPolicy", "Privileged", "PortBindings", "Binds")}
    seen["hub"] = hub.answers(here, limit=HEARS)
    seen["token"] = seen["hub"] and hub.token_works(here)
    if seen["token"]:
        users = hub.must(here, "GET", "/users")
        seen["users"] = sorted((user["name"], user["admin"], sorted(user["groups"])) for user in users)
        seen["tokens"] = sorted((one.user, one.note, one.ends) for one in hub.tokens(client))
        seen["routes"] = {path: route["target"] for path, route in hub.must(here, "GET", "/proxy").items()}
        seen["servers"] = sorted(user["name"] for user in users if user["server"])
        seen["hub groups"] = sorted((one["name"], sorted(one["users"])) for one in hub.must(here, "GET", "/groups"))
        seen["services"] = sorted(hub.must(here, "GET", "/services"))
        seen["table"] = inside.run(client, HUB, f"python3 -c {shlex.quote(TABLE)}").out
    if box.status == "running":
        seen["inside"] = sorted(inside.run(client, HUB, LOOK).out.splitlines())
    return seen


def test_up_again_is_quick_and_changes_nothing(here: Lab) -> None:
    begun = time.perf_counter()
    again = lab.up(pytest.fail)
    assert time.perf_counter() - begun < 1
    assert again == here


def test_status_finds_it_and_says_what_it_is(here: Lab) -> None:
    facts = json.loads(command("status", "--json"))
    assert lab.status() == here
    assert facts["up"]
    assert facts["hub_answers"]
    assert facts["token_works"]
    assert facts["containers"] == {"emr-master": "running", "jupyterhub": "running"}
    assert facts["base"].endswith((", pulled", ", bootstrapped"))
    assert facts["hub_fingerprint"] == here.hub_fingerprint


def test_secrets_are_for_their_owner_only(here: Lab) -> None:
    assert here.state.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in here.state.iterdir()} == {0o600}


def test_only_loopback_is_listened_on(client: DockerClient) -> None:
    for name in (HUB, MASTER):
        bound = client.containers.get(name).attrs["HostConfig"]["PortBindings"] or {}
        assert {where["HostIp"] for places in bound.values() for where in places} <= {"127.0.0.1"}


def test_a_second_checkout_finds_the_same_lab(here: Lab, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "FOLDER", tmp_path / "other")
    other = lab.status()
    assert other is not None
    assert other.hub_fingerprint == here.hub_fingerprint
    assert other.token_file.read_text() == here.token_file.read_text()
    assert hub.token_works(other)


def test_env_makes_any_aws_client_speak_to_it(here: Lab) -> None:
    script = 'eval "$("$0" -m lab env)"; exec "$0" -c "$1"'
    program = "import boto3; print(boto3.client('emr').describe_cluster(ClusterId='%s')['Cluster']['ReleaseLabel'])"
    words = ["sh", "-c", script, sys.executable, program % here.cluster_id]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, env=dict(os.environ))
    assert done.stdout.strip() == "emr-7.1.0"


def test_the_cluster_is_one_that_emr_describes(here: Lab) -> None:
    about = cluster(here)
    assert about["Status"]["State"] == "WAITING"
    assert about["MasterPublicDnsName"] == "localhost"
    assert about["TerminationProtected"]
    assert {app["Name"]: app["Version"] for app in about["Applications"]}["JupyterHub"] == "1.5.0"
    emr = emr_of(here)
    assert len(emr.list_instances(ClusterId=here.cluster_id, InstanceGroupTypes=["MASTER"])["Instances"]) == 1
    steps = {step["Name"]: step["Status"]["State"] for step in emr.list_steps(ClusterId=here.cluster_id)["Steps"]}
    assert steps.items() >= {"lab: docker client": "COMPLETED", "lab: who runs steps": "COMPLETED"}.items()


def test_conda_installs_and_removes(client: DockerClient) -> None:
    assert "already installed" in in_hub(client, "conda install keras=2.12.0")
    dry = json.loads(in_hub(client, "conda install --dry-run --json --no-pin keras=2.11.0"))
    assert [item["version"] for item in dry["actions"]["LINK"]] == ["2.11.0"]
    in_hub(client, "conda create -n scratch toolz=0.11.2")
    try:
        assert (
            in_hub(client, "/opt/conda/envs/scratch/bin/python -c 'import toolz; print(toolz.__version__)'")
            == "0.11.2\n"
        )
        in_hub(client, "conda remove -n scratch toolz")
        assert json.loads(in_hub(client, "conda list -n scratch --json")) == []
    finally:
        in_hub(client, "conda remove -n scratch --all")
    unknown = inside.run(client, HUB, "conda install --json no-such-package")
    assert (unknown.code, json.loads(unknown.out)["exception_name"]) == (1, "PackagesNotFoundError")
    assert inside.run(client, HUB, "conda clean").code == 2


def test_conda_holds_what_is_pinned(client: DockerClient) -> None:
    refused = inside.run(client, HUB, "conda install --json keras=2.11.0")
    in_hub(client, "conda create -n scratch")
    pins = "/opt/conda/envs/scratch/conda-meta/pinned"
    try:
        in_hub(client, f"printf '# held\\n\\nsix <1.16\\ntoolz 0.11.*\\n' > {pins}")
        needed = inside.run(client, HUB, "conda install --json -n scratch 'six>=1.16'")
        in_hub(client, "conda install -n scratch toolz")
        held = json.loads(in_hub(client, "conda list -n scratch --json"))
        in_hub(client, "conda install --no-pin -n scratch toolz=0.12.0")
        freed = json.loads(in_hub(client, "conda list -n scratch --json"))
    finally:
        in_hub(client, "conda remove -n scratch --all")

    assert (refused.code, json.loads(refused.out)["exception_name"]) == (1, "SpecsConfigurationConflictError")
    assert (needed.code, json.loads(needed.out)["exception_name"]) == (1, "SpecsConfigurationConflictError")
    assert [(item["name"], item["version"]) for item in held] == [("toolz", "0.11.2")]
    assert [(item["name"], item["version"]) for item in freed] == [("toolz", "0.12.0")]


def test_conda_says_what_a_person_asked_for(client: DockerClient) -> None:
    listed = {item["name"]: item for item in json.loads(in_hub(client, "conda list --json"))}
    assert listed["keras"]["version"] == "2.12.0"
    assert listed["tabulate"]["channel"] == "pypi"
    records = (
        in_hub(client, "cat /opt/conda/conda-meta/keras-*.json"),
        in_hub(client, "cat /opt/conda/conda-meta/six-*.json"),
    )
    assert [json.loads(text)["requested_spec"] for text in records] == ["keras=2.12.0", ""]
    assert "# update specs: ['keras=2.12.0']" in in_hub(client, "cat /opt/conda/conda-meta/history")


def test_the_hub_is_real_and_its_proxy_too(here: Lab, client: DockerClient) -> None:
    assert hub.must(here, "GET", "/") == {"version": "1.5.0"}
    assert "configurable-http-proxy" in in_hub(client, "ps -ef")
    assert hub.must(here, "GET", "/proxy")["/"]["target"].endswith(":8081")


def test_a_person_logs_in_through_pam(here: Lab) -> None:
    """`POST /users/N/tokens` with a name and a password asks PAM (JupyterHub 1.5)."""
    word = json.loads(here.passwords_file.read_text())["diego"]
    body = {"auth": {"username": "diego", "password": word}, "expires_in": 60}
    status, made = hub.ask(here, "POST", "/users/diego/tokens", body, token="")
    assert status == 200
    assert hub.ask(here, "DELETE", f"/users/diego/tokens/{made['id']}")[0] == 204
    body["auth"] = {"username": "diego", "password": "wrong"}
    assert hub.ask(here, "POST", "/users/diego/tokens", body, token="")[0] == 403


def test_a_notebook_server_starts_and_stops(here: Lab) -> None:
    hub.must(here, "POST", "/users/ana/server")
    deadline = time.monotonic() + 30
    while not hub.must(here, "GET", "/users/ana")["servers"].get("", {}).get("ready"):
        assert time.monotonic() < deadline, "the server is not ready"
        time.sleep(0.2)
    hub.must(here, "DELETE", "/users/ana/server")
    while hub.must(here, "GET", "/users/ana")["servers"]:
        assert time.monotonic() < deadline, "the server did not stop"
        time.sleep(0.2)


def test_the_master_node_works_as_the_documentation_writes_it(here: Lab) -> None:
    script = (
        "read -r token; sudo docker exec jupyterhub conda --version\n"
        'curl -sk "https://$(hostname):9443/hub/api/users" -H @<(echo "Authorization: token $token") | jq -r ".[].name"'
    )
    way = ["-p", str(here.ssh_port), "-i", str(here.ssh_key), "-o", f"UserKnownHostsFile={here.known_hosts}"]
    strict = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-F", "none"]
    token = here.token_file.read_text()
    words = ["ssh", *way, *strict, "hadoop@127.0.0.1", script]
    done = subprocess.run(words, input=token, capture_output=True, text=True, check=True, timeout=60)
    first, *names = done.stdout.splitlines()
    assert first == "conda 4.12.0 (hubspec lab front end over rattler)"
    assert sorted(names) == ["ana", "diego", "jovyan", "shirley"]


def test_a_container_of_others_is_left_alone(client: DockerClient) -> None:
    name = "hubspec-test-foreign"
    image = client.containers.get(HUB).attrs["Image"]
    foreign = client.containers.create(image, name=name, labels={})
    try:
        with pytest.raises(LabError, match="not the lab's"):
            containers.remove(client, name)
        assert client.containers.get(name).id == foreign.id
    finally:
        foreign.remove(force=True)


def test_up_wakes_what_was_stopped_and_keeps_what_is_inside(here: Lab, client: DockerClient) -> None:
    in_hub(client, "touch /opt/made-by-hand")
    client.containers.get(HUB).stop(timeout=10)
    client.containers.get(MASTER).stop(timeout=10)
    found = lab.status()
    assert found == here
    assert lab.awake(print) == here
    assert hub.token_works(here)
    assert cluster(here)["Status"]["State"] == "WAITING"
    in_hub(client, "rm /opt/made-by-hand")


@pytest.mark.parametrize("name", list(BREAKS))
def test_a_break_breaks_and_its_mend_mends(name: str, here: Lab, client: DockerClient) -> None:
    before, pair = whole_state(here, client), inside.run(client, HUB, PAIR).out
    try:
        breaks.apply(name)
        broken = whole_state(here, client)
        breaks.apply(name)
        assert broken != before
        assert whole_state(here, client) == broken
        found = lab.status()
        assert found
        # Another certificate is what some breaks are about.
        assert replace(found, hub_fingerprint=here.hub_fingerprint) == here
    except RefusedError as refused:
        pytest.skip(str(refused).splitlines()[0])
    finally:
        breaks.mend(name)
    assert whole_state(here, client) == before
    breaks.mend(name)
    assert whole_state(here, client) == before
    assert inside.run(client, HUB, PAIR).out == pair
    assert name not in state.broken()


def test_every_break_says_what_an_audit_should_say() -> None:
    listed = json.loads(breaks.listing(as_json=True))
    assert len(listed) == len(BREAKS) > 40
    assert {entry["kind"] for entry in listed} == set(KINDS)
    assert {entry["exit_code"] for entry in listed} == {1, 11}


def test_an_unknown_break_is_refused() -> None:
    with pytest.raises(LabError, match="no break is called"):
        breaks.apply("no-such-break")


def test_one_that_is_being_made_is_not_up(here: Lab, client: DockerClient) -> None:
    state.begin(client)
    try:
        assert state.begun(client)
        assert lab.status() is None, "nobody audits half a lab"
    finally:
        state.end(client)
    assert lab.status() == here


def test_who_makes_it_has_it_alone() -> None:
    told: list[str] = []
    with turn(told.append):
        waiting = subprocess.Popen([sys.executable, "-c", WAITS], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert waiting.stdout
        assert waiting.stdout.readline() == "waiting for another process that makes the lab or removes it\n"
        assert waiting.poll() is None
    assert waiting.communicate(timeout=30)[0] == "its turn\n"
    assert waiting.returncode == 0
    assert told == []


WAITS = """
from functools import partial
from lab.turn import turn

with turn(partial(print, flush=True)):
    print("its turn")
"""
