"""A baseline from what was seen: what it demands, what it does not, and that the same state then passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hubspec import durable
from hubspec.adopt import Written, write
from hubspec.baseline import load
from hubspec.durable import RIGHT
from hubspec.errors import HubspecError
from hubspec.kind import REST
from hubspec.kinds import KINDS
from hubspec.model import Absent, NotApplicable, Outcome, Present, Unreadable
from hubspec.survey import WATCHED
from hubspec.written import Entry, Page
from tests.made import present, saw

HUB = "jupyterhub"
PROXY = "configurable-http-proxy"
CONTAINER: dict[str, Any] = {
    "image": "emr/jupyter-notebook:6.1.0", "image_id": "sha256:ab", "running": True, "restart_policy": "on-failure:5",
    "os": "ubuntu-22.04", "privileged": False,
    "mounts": {"/etc/jupyter": "/etc/jupyter", "/home": "/var/lib/jupyter/home", "/var/log/jupyter": "/var/log/jupyter"},
    "ports": {"9443/tcp": "9443"},
}  # fmt: skip
USER: dict[str, Any] = {
    "uid": 1000, "group": "users", "groups": [], "home": "/home/jovyan", "shell": "/bin/bash", "locked": False,
    "default_password": False,
}  # fmt: skip
CLUSTER: dict[str, Any] = {
    "state": "WAITING", "release_label": "emr-7.1.0", "applications": {"JupyterHub": "1.5.0"}, "log_uri": "s3://logs/",
    "tags": {}, "world_ports": [], "termination_protected": True, "auto_terminate": False, "idle_timeout": None,
    "security_configuration": None, "encryption": {}, "configurations": {}, "bootstrap_actions": {},
    "instance_profile": "EMR_EC2_DefaultRole", "service_role": "EMR_DefaultRole", "masters": 1,
}  # fmt: skip
FACE: dict[str, Any] = {
    "version": "1.5.0", "authenticator": "jupyterhub.auth.PAMAuthenticator", "certificate_left": "90d",
    "spawner": "jupyterhub.spawner.LocalProcessSpawner", "certificate_state": "valid", "certificate_names": ["hub"],
    "certificate_fits": True, "certificate_issuer": "CN=hub", "certificate_self_signed": True,
    "certificate_trusted": True, "certificate_fingerprint": "0" * 64, "key": "RSA 2048", "key_strength": 112,
    "oldest_tls": "1.2",
}  # fmt: skip
FILE: dict[str, Any] = {"type": "regular file", "mode": "0644", "owner": "root", "group": "root", "sha256": "a" * 64}
COOKIE = "/home/jovyan/jupyterhub_cookie_secret"
FILES = ["/etc/jupyter/conf/jupyterhub_config.py", "/etc/jupyter/conf/server.crt", "/etc/jupyter/conf/server.key"]


def container(**fields: Any) -> dict[str, Any]:
    return {HUB: present("container", HUB, **CONTAINER | fields)}


def user(name: str = "jovyan", unread: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    return {name: present("user", name, unread, **USER | fields)}


def cluster(unread: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    kept = {key: value for key, value in (CLUSTER | fields).items() if key not in (unread or {})}
    return {"cluster": present("cluster", "cluster", unread, **kept)}


def face(**fields: Any) -> dict[str, Any]:
    return {"hub": present("hub", "hub", **FACE | fields)}


def proxy(**fields: Any) -> dict[str, Any]:
    known = {
        "running": True,
        "version": "4.6.3",
        "api_address": "127.0.0.1:8001",
        "api_needs_token": True,
        "unmarked": {},
    }
    return {PROXY: present("proxy", PROXY, **known | fields)}


def file(path: str, **fields: Any) -> dict[str, Any]:
    kept = {key: value for key, value in (FILE | fields).items() if value is not None}
    unread = {key: "it was not hashed" for key in FILE if key not in kept} or None
    return {path: present("file", path, unread, **kept)}


def files(*more: dict[str, Any]) -> dict[str, Any]:
    found = [*map(file, FILES[:2]), file(FILES[2], mode="0600"), file(COOKIE, mode="0600"), *more]
    return {path: one for some in found for path, one in some.items()}


def step(key: str, state: str = "COMPLETED", jar: str = "command-runner.jar", age: str = "3d") -> dict[str, Any]:
    fields = {"state": state, "jar": jar, "arguments": [], "when": "later", "age": age, "duration": "5s"}
    return {key: present("step", key, **fields)}


def whole(**kinds: Any) -> dict[str, Any]:
    """Return everything that emr.yaml demands, as it ought to be, and `kinds` in place of some."""
    hub_users = {"jovyan": present("hub_user", "jovyan", admin=True, groups=[])}
    base = OTHERS | {"container": container(), "user": user(), "package": {}, "kernel": {}, "file": files()}
    return (
        base
        | {"hub_user": hub_users, "step": {}, "proxy": proxy(), "cluster": cluster(), "hub": face()}
        | {"hub_group": {}, "service": {}}
        | kinds
    )


def made(folder: Path, **kinds: Any) -> Written:
    return write(saw("j-TEST", **whole(**kinds)), folder / "made.yaml", watch=WATCHED)


def stated(written: Written) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(written.path.read_text())
    return data


def drifted(written: Written) -> list[str]:
    """Return what the first audit shows in the kinds that are taken over."""
    found = [one.check for one in written.verdicts if one.outcome is Outcome.DRIFTED]
    return [f"{check.kind} {check.name}" for check in found if check.kind in SHAPES]


def test_what_is_as_it_should_be_gives_nothing_to_tell(tmp_path: Path) -> None:
    written = made(tmp_path)

    assert {one.outcome for one in written.verdicts if one.check.kind in SHAPES} == {Outcome.COMPLIANT}
    assert written.code == 0
    assert [note for _, note in written.draft.notes if note.sort != "hint"] == []
    assert written.telling()[0].startswith(
        f"{written.path}: 1 containers, 1 users, 4 files, 1 configs, 1 hub, 1 hub_users, "
    )
    assert load(written.path).sections.title == "j-TEST as it was at 2026-03-04 05:06 UTC"
    assert [path.name for path in tmp_path.iterdir()] == ["made.yaml"]


def test_the_file_works_from_where_it_lies(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    (tmp_path / "link").symlink_to(deep)
    deep.mkdir(parents=True)

    written = write(saw(**whole()), tmp_path / "link" / "made.yaml")

    assert load(written.path).sections.controls


WRONG = [
    ({"user": user(default_password=True)}, "user jovyan", "default_password is true now"),
    ({"cluster": cluster(world_ports=["22", "9443"])}, "cluster cluster", 'world_ports is ["22", "9443"] now'),
    ({"proxy": proxy(api_address="0.0.0.0:8001")}, f"proxy {PROXY}", "api_address is 0.0.0.0:8001; the extended baseline"),
    ({"proxy": proxy(api_needs_token=False)}, f"proxy {PROXY}", "api_needs_token is false now"),
    ({"proxy": proxy(unmarked={"/x": "http://10.0.0.9"})}, "proxy *", 'unmarked is {"/x": "http://10.0.0.9"} now'),
    ({"container": {}}, f"container {HUB}", "is not there; that is not taken over"),
    ({"cluster": cluster(state="TERMINATED")}, "cluster cluster", "state is TERMINATED; the extended baseline"),
    ({"hub": face(certificate_state="expired")}, "hub hub", "certificate_state is expired; the extended baseline"),
    ({"hub": face(oldest_tls="1.0")}, "hub hub", "oldest_tls is 1.0; the extended baseline"),
    ({"hub": face(authenticator="x.DummyAuthenticator")}, "hub hub", "authenticator is x.DummyAuthenticator; the extended"),
    ({"step": step("x (s-1)", "FAILED", age="2h")}, "step *", "its newest is FAILED"),
]  # fmt: skip


@pytest.mark.parametrize(("kinds", "about", "comment"), WRONG, ids=[case[2] for case in WRONG])
def test_what_is_wrong_now_is_not_taken_over(tmp_path: Path, kinds: dict[str, Any], about: str, comment: str) -> None:
    written = made(tmp_path, **kinds)

    assert about in drifted(written)
    assert comment in written.path.read_text()
    assert "not taken over, so the first audit with it shows:" in written.telling()


def test_what_a_waiver_covers_is_told_as_waived(tmp_path: Path) -> None:
    written = made(tmp_path, container=container(privileged=True))

    assert drifted(written) == []
    assert stated(written)["containers"][HUB]["privileged"] is False
    assert "not taken over, and waived:" in written.telling()


TAKEN = [
    ({"file": files({COOKIE: Absent()})}, "files", COOKIE, {"ensure": "absent"}),
    ({"user": {}, "hub_user": {}}, "users", "jovyan", {"ensure": "absent"}),
    ({"hub_user": {}}, "hub_users", "jovyan", {"ensure": "absent"}),
    ({"cluster": cluster(applications={"Spark": "3"})}, "cluster", "applications", {"Spark": "3", "JupyterHub": None}),
    ({"cluster": cluster(log_uri=None)}, "cluster", "log_uri", None),
    ({"container": container(mounts={"/x": "/y"})}, "containers", HUB, None),
]


@pytest.mark.parametrize(("kinds", "section", "key", "wanted"), TAKEN)
def test_what_is_otherwise_than_emr_yaml_demands_is_taken_and_told(
    tmp_path: Path, kinds: dict[str, Any], section: str, key: str, wanted: Any
) -> None:
    written = made(tmp_path, **kinds)

    assert drifted(written) == []
    assert any(line.startswith("taken as it is, though emr.yaml demands otherwise") for line in written.telling())
    if wanted is not None:
        assert stated(written)[section][key] == wanted


UNREAD = [
    ({"user": Unreadable("no way in")}, "users: could not be read: no way in"),
    ({"file": files({COOKIE: Unreadable("gone")})}, f"file {COOKIE}: could not be read: gone"),
    ({"file": {name: one for name, one in files().items() if name != COOKIE}}, "taken without asking for it"),
    ({"user": user(unread={"locked": "no shadow"})}, "locked could not be read: no shadow"),
    ({"cluster": cluster({"masters": "AWS refuses ListInstances"})}, "masters could not be read: AWS refuses ListInstances"),
    ({"file": files(file("/etc/jupyter/x.json", sha256=None))}, "sha256 could not be read"),
    ({"step": step("x (s-1)") | {REST: Unreadable("only the newest 1")}}, "only the newest 1"),
]  # fmt: skip


@pytest.mark.parametrize(("kinds", "comment"), UNREAD, ids=[case[1] for case in UNREAD])
def test_what_could_not_be_read_is_a_comment_and_the_exit_code(
    tmp_path: Path, kinds: dict[str, Any], comment: str
) -> None:
    written = made(tmp_path, **kinds)

    assert written.code == 11
    assert [line for line in written.path.read_text().splitlines() if line.lstrip().startswith("#") and comment in line]
    assert drifted(written) == []


def test_nothing_read_is_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(HubspecError, match="nothing could be read") as told:
        made(tmp_path, **{kind: Unreadable(f"no {kind}") for kind in KINDS})

    assert all(f"no {kind}" in str(told.value) for kind in KINDS)
    assert list(tmp_path.iterdir()) == []


def test_a_kind_that_does_not_apply_is_no_fault(tmp_path: Path) -> None:
    written = made(tmp_path, cluster=NotApplicable("no AWS here"), step=NotApplicable("no AWS here"))

    assert written.code == 0
    assert "# cluster: not applicable: no AWS here" in written.path.read_text()


def test_of_a_kind_of_which_nobody_said_what_lasts_only_what_differs_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(durable.FIELDS, "hub_user")  # as of a kind that is new
    seen = {"jovyan": present("hub_user", "jovyan", admin=False, groups=["a"]), "ana": present("hub_user", "ana")}
    written = made(tmp_path, hub_user=seen)

    assert "no more of them is taken over; what of them lasts is for a person to say" in written.path.read_text()
    assert stated(written)["hub_users"] == {"jovyan": {"admin": False}}
    assert "hub_user" not in stated(written)["undeclared"]
    assert drifted(written) == ["hub_user *"]
    assert made(tmp_path).code == 0


def test_steps_are_declared_by_their_newest_that_completed(tmp_path: Path) -> None:
    seen = [
        step("fine (s-6)"), step("fine (s-5)", "FAILED"), step("bad (s-4)", "FAILED"), step("bad (s-3)"),
        step("hubspec smoke 1 (s-2)"), step("run --password hunter2 (s-1)", jar="s3://u:hunter2@x/y.jar"),
    ]  # fmt: skip
    written = made(tmp_path, step={key: one for some in seen for key, one in some.items()})

    assert stated(written)["steps"] == {"fine": {"state": "COMPLETED", "jar": "command-runner.jar"}}
    assert "step bad: its newest is FAILED, so it is not declared" in written.path.read_text()
    assert "hunter2" not in written.path.read_text() + "".join(written.telling())


def test_secrets_stay_out(tmp_path: Path) -> None:
    configurations = {"hive-site": {"javax.jdo.option.ConnectionPassword": "***", "user": "hive"}}
    tags = {"api-token": "hunter2", "aws:elasticmapreduce:job-flow-id": "j-TEST", "owner": "me"}
    actions = {"get": "s3://user:hunter2@bucket/x.sh"}
    written = made(
        tmp_path,
        cluster=cluster(configurations=configurations, tags=tags, bootstrap_actions=actions, log_uri="s3://l/"),
    )
    cluster_ = stated(written)["cluster"]

    assert cluster_["configurations"] == configurations
    assert cluster_["tags"] == {"api-token": {"matches": "(?s).*"}, "owner": "me"}
    assert cluster_["bootstrap_actions"] == {"get": {"matches": "(?s).*"}}
    assert "hunter2" not in written.path.read_text()
    assert drifted(written) == []


def test_content_that_moves_or_is_a_key_is_not_hashed(tmp_path: Path) -> None:
    folder = "/etc/jupyter/conf"
    moving = ["jupyterhub.sqlite", "jupyterhub.sqlite-wal", "x.log", "api_token", "hub.pem"]
    link = file(f"{folder}/link", type="symbolic link", mode="0777", sha256=None)
    written = made(tmp_path, file=files(*(file(f"{folder}/{name}") for name in moving), link))
    found = stated(written)["files"]

    assert {path for path, fields in found.items() if "sha256" not in fields} == {
        COOKIE, FILES[2], f"{folder}/link", *(f"{folder}/{name}" for name in moving),
    }  # fmt: skip
    assert written.code == 0


def test_a_user_of_the_hub_without_an_account(tmp_path: Path) -> None:
    seen = {name: present("hub_user", name, admin=name == "jovyan", groups=[]) for name in ("jovyan", "from-ldap")}
    written = made(tmp_path, hub_user=seen)

    assert stated(written)["accounts"] == "directory"
    assert drifted(written) == []


def test_two_accounts_of_one_uid(tmp_path: Path) -> None:
    written = made(tmp_path, user=user() | user("other"))

    assert "uid" not in stated(written)["users"]["other"]
    assert any("which is that of jovyan too" in line for line in written.telling())
    assert drifted(written) == []


def test_what_no_baseline_can_declare_is_ignored_by_its_name_and_told(tmp_path: Path) -> None:
    fields = {"version": "0.1", "build": "x", "channel": None, "requested": True}
    seen = {name: present("package", name, **fields) for name in ("_libgcc_mutex", "env [1]/six")}
    written = made(tmp_path, package=seen, hub_user={"Ana": present("hub_user", "Ana", admin=False, groups=[])})

    assert stated(written)["undeclared"]["package"]["ignore"] == ["_libgcc_mutex", "env [[]1]/six"]
    assert any("package _libgcc_mutex: is there, and no baseline can declare its name" in x for x in written.telling())
    assert drifted(written) == []


def test_a_version_that_its_language_does_not_know_is_left_out(tmp_path: Path) -> None:
    seen = {"pip:odd": present("package", "pip:odd", version="not-a-version", requested=True)}
    written = made(tmp_path, package=seen)

    assert stated(written)["packages"] == {"pip:odd": {}}
    assert "version is not-a-version, which a baseline cannot state" in written.path.read_text()


def test_only_what_a_person_asked_for_is_demanded(tmp_path: Path) -> None:
    seen = {
        "keras": present("package", "keras", version="2.12.0", build="x", channel=None, requested=True),
        "held": present("package", "held", version="1.2", build="x", channel=None, requested=True, pinned="1.*"),
        "libz": present("package", "libz", version="1", build="x", channel=None, requested=False),
        "pip:six": present("package", "pip:six", version="1.16.0", requested=True),
    }
    accounts = user() | user("daemon", uid=1) | user("nobody", uid=65534) | user("ana", uid=1003)
    written = made(tmp_path, package=seen, user=accounts)

    assert stated(written)["packages"] == {
        "held": {"version": "1.2", "pinned": "1.*"},
        "keras": "2.12.0",
        "pip:six": "==1.16.0",
    }
    assert list(stated(written)["users"]) == ["jovyan", "ana"]


HUB_CONFIG = "/etc/jupyter/conf/jupyterhub_config.py"


def configured(unread: dict[str, str] | None = None, **settings: Any) -> dict[str, Any]:
    known = {"JupyterHub.port": 9443, "JupyterHub.ssl_key": "/k", "JupyterHub.ssl_cert": "/c"} | settings
    return {HUB_CONFIG: present("config", HUB_CONFIG, unread, settings=known)}


def test_settings_are_taken_over_and_no_secret(tmp_path: Path) -> None:
    seen = configured(
        **{"JupyterHub.api_tokens": "***", "Spawner.environment": {"A": "b", "TOKEN": "***"}, "Spawner.debug": True}
    )
    written = made(tmp_path, config=seen)

    assert stated(written)["configs"][HUB_CONFIG] == {
        "settings": {
            "JupyterHub.port": 9443, "JupyterHub.ssl_key": "/k", "JupyterHub.ssl_cert": "/c", "JupyterHub.api_tokens": {"set": True},
            "Spawner.environment": {"set": True}, "Spawner.debug": True,
        }
    }  # fmt: skip
    assert [one.outcome for one in written.verdicts if one.check.kind == "config"] == [Outcome.COMPLIANT] * 2


def test_settings_that_are_not_known_stay_as_they_are_demanded(tmp_path: Path) -> None:
    seen = configured(
        {"settings.JupyterHub.ssl_key": "line 3 sets it by code", "settings.*": "line 9 hands c to other code"}
    )
    settings: dict[str, Any] = seen[HUB_CONFIG].resource.settings
    del settings["JupyterHub.ssl_key"], settings["JupyterHub.ssl_cert"]
    written = made(tmp_path, config=seen)

    assert stated(written)["configs"][HUB_CONFIG] == {"settings": {"JupyterHub.port": 9443}}
    assert "settings.JupyterHub.ssl_key: line 3 sets it by code" in written.path.read_text()
    (told,) = {
        one.reason for one in written.verdicts if one.outcome is Outcome.UNREADABLE and one.check.kind == "config"
    }
    assert "settings.JupyterHub.ssl_key: line 3 sets it by code" in told
    assert "settings.JupyterHub.ssl_cert: line 9 hands c to other code" in told


def test_undeclared_tokens_are_named(tmp_path: Path) -> None:
    token = present("hub_token", "ana/nightly (a1)", named="ana/nightly", expires=False, left=None, idle="1d", age="1d")
    written = made(tmp_path, hub_token={"ana/nightly (a1)": token})

    assert any("undeclared hub_tokens: ana/nightly (a1) [TOK-09]" in line for line in written.telling())


def test_a_name_cannot_leave_its_comment(tmp_path: Path) -> None:
    shell = "/bin/sh\nwaivers: {x: {}}"
    written = made(tmp_path, user=user("evil", {"locked": "no\nusers: {}"}, uid=1, shell=shell) | user(uid=1000))
    written = made(tmp_path, user=user(unread={"locked": "no\nusers: {}"}, shell=shell))

    assert stated(written)["users"]["jovyan"]["shell"] == shell
    assert r"# locked could not be read: no\nusers: {}" in written.path.read_text()


TEXTS = st.text(max_size=140) | st.sampled_from(
    ["yes", "0600", "1e3", "~", "=", "<<", "1:30", "- x", "#", "\u202e", "\x85"]
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
SAYABLE = PLAIN.filter(lambda value: "\\ud" not in ascii(value))


@given(st.dictionaries(TEXTS.filter(lambda text: "\\ud" not in ascii(text)), SAYABLE, max_size=3), st.lists(TEXTS))
def test_what_is_written_reads_the_same(values: dict[str, Any], comments: list[str]) -> None:
    nested = {key: Entry(value, comments) for key, value in values.items()}
    page = Page(list(comments), {"flat": Entry(values), **({"nested": Entry(nested)} if nested else {})})

    data = yaml.load(str(page), Loader=yaml.CSafeLoader)  # what baselines are read by

    assert data == {"flat": values} | ({"nested": values} if nested else {})


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,7}", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}", fullmatch=True)
MAPS = st.dictionaries(WORDS, WORDS, max_size=3)
MAYBE = st.none() | WORDS
SHAPES: dict[str, Any] = {
    "container": {
        "image": WORDS, "image_id": WORDS, "running": st.just(True), "restart_policy": WORDS, "os": WORDS,
        "privileged": st.booleans(), "mounts": MAPS, "ports": MAPS,
    },
    "user": {
        "uid": st.integers(0, 70000), "group": WORDS, "groups": st.lists(WORDS, max_size=3), "home": WORDS,
        "shell": WORDS, "locked": st.booleans(), "default_password": st.booleans(),
    },
    "package": {"version": VERSIONS, "build": WORDS, "channel": MAYBE, "requested": st.booleans(), "pinned": MAYBE | st.sampled_from(["2.*", "=1.0", ">=1 py_0"])},
    "kernel": {
        "display_name": WORDS, "language": WORDS, "command": WORDS, "module": MAYBE, "runs": st.booleans(),
    },
    "file": {
        "type": st.sampled_from(["regular file", "directory", "symbolic link"]),
        "mode": st.from_regex(r"0[1-7]?[0-7]{3}", fullmatch=True), "owner": WORDS, "group": WORDS,
        "sha256": st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    },
    "hub": {
        **{name: st.just(value) for name, value in FACE.items()},
        "version": VERSIONS, "spawner": WORDS, "certificate_names": st.lists(WORDS, max_size=3),
        "certificate_fits": st.booleans(), "certificate_issuer": WORDS, "certificate_self_signed": st.booleans(),
        "authenticator": st.sampled_from(["jupyterhub.auth.PAMAuthenticator", "ldapauthenticator.LDAPAuthenticator"]),
    },
    "hub_user": {"admin": st.booleans(), "groups": st.lists(WORDS, max_size=3)},
    "hub_group": {"users": st.lists(WORDS.map(str.lower), max_size=3)},
    "service": {
        "admin": st.booleans(), "url": WORDS, "command": st.lists(WORDS, max_size=3), "running": st.none() | st.booleans(),
    },
    "step": {
        "state": st.sampled_from(["COMPLETED", "FAILED", "CANCELLED", "RUNNING"]), "jar": MAYBE,
        "arguments": st.lists(WORDS, max_size=2), "when": st.sampled_from(["at launch", "later"]),
        "age": st.just("3d"), "duration": st.just("5s"),
    },
    "proxy": {  # what leads past the hub is never taken over, as below
        "running": st.booleans(), "version": WORDS, "api_address": st.just("127.0.0.1:8001"), "api_needs_token": st.booleans(),
        "unmarked": st.just({}),
    },
    "cluster": {
        "state": st.sampled_from(["WAITING", "RUNNING"]), "release_label": WORDS,
        "applications": st.dictionaries(WORDS, MAYBE, max_size=3), "log_uri": MAYBE, "tags": MAPS,
        "world_ports": st.sampled_from([[], ["22"], ["22", "8000-9500"], ["all"]]),
        "termination_protected": st.booleans(), "auto_terminate": st.booleans(),
        "idle_timeout": st.none() | st.just("1h 30m"), "security_configuration": MAYBE,
        "encryption": st.dictionaries(st.sampled_from(["s3", "disk", "transit"]), WORDS),
        "configurations": st.dictionaries(WORDS, MAPS, max_size=3), "bootstrap_actions": MAPS,
        "instance_profile": MAYBE, "service_role": MAYBE, "masters": st.integers(0, 3),
    },
}  # fmt: skip
KEYS: dict[str, Any] = {
    "container": st.just(HUB), "user": st.just("jovyan") | NAMES, "file": st.sampled_from([*FILES, COOKIE]) | NAMES.map("/etc/jupyter/{}".format),
    "package": st.builds(str.__add__, st.sampled_from(["", "pip:", "env/"]), st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True)),
    "kernel": st.from_regex(r"([a-z]{1,3}/)?[A-Za-z0-9._-]{1,6}", fullmatch=True),
    "hub_user": st.just("jovyan") | NAMES, "step": st.builds("{} (s-{})".format, WORDS, st.integers(1, 99)), "cluster": st.just("cluster"),
    "hub": st.just("hub"), "hub_group": st.sampled_from(["analysts", "a/b", ""]) | WORDS, "service": NAMES,
    "proxy": st.just("configurable-http-proxy"),
}  # fmt: skip


OTHERS = dict.fromkeys(KINDS.keys() - SHAPES.keys(), NotApplicable("of no concern here"))


@st.composite
def snapshots(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what was seen of each kind: of emr.yaml's own files each is there, or known not to be."""
    seen: dict[str, Any] = {}
    for kind, fields in SHAPES.items():
        few = 1 if kind in {"container", "cluster", "hub", "proxy"} else 3
        names = draw(st.lists(KEYS[kind], min_size=1 if few == 1 else 0, max_size=few, unique=True))
        seen[kind] = {name: present(kind, name, **draw(st.fixed_dictionaries(fields))) for name in names}
    seen["file"] = {path: Absent() for path in [*FILES, COOKIE]} | seen["file"]
    return seen


@given(snapshots())
def test_any_cluster_meets_the_baseline_that_was_made_of_it(
    tmp_path_factory: pytest.TempPathFactory, seen: dict[str, Any]
) -> None:
    written = write(saw("j-TEST", **OTHERS | seen), tmp_path_factory.getbasetemp() / "any.yaml", watch=WATCHED)
    resources = load(written.path).resources
    wrong = {
        (kind, name)
        for (kind, field), right in RIGHT.items()
        for name, one in seen[kind].items()
        if isinstance(one, Present) and getattr(one.resource, field) != right and name in resources[kind]
    }
    found = {
        (one.check.kind, one.check.name): one.outcome
        for one in written.verdicts
        if one.check.kind in SHAPES and one.outcome not in {Outcome.COMPLIANT, Outcome.NOT_APPLICABLE}
    }

    assert found.keys() == wrong, written.telling()
    assert set(found.values()) <= {Outcome.DRIFTED, Outcome.WAIVED}
    assert written.code == 0
