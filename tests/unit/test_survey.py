"""The two looks of a survey, through doors whose scripts run here: everything is seen, and what was seen is asked about."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from hubspec import survey as module
from hubspec.adopt import BASE
from hubspec.baseline import load
from hubspec.durable import FIELDS
from hubspec.errors import DoorError
from hubspec.kinds import KINDS
from hubspec.model import Absent, Present, Unreadable
from hubspec.survey import survey, watched
from tests.unit.test_collect import doors

CLUSTER = {"DescribeCluster": {"Status": {"State": "WAITING"}}, "ListInstances": [{}], "ListBootstrapActions": []}
HUB = [{"name": "jovyan", "admin": True}]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A watched folder in place of EMR's; of the kinds those that are taken over."""
    monkeypatch.setattr(module, "KINDS", {kind: KINDS[kind] for kind in (*FIELDS, "step")})
    monkeypatch.setattr(module, "WATCHED", (str(tmp_path),))
    (tmp_path / "plain.json").write_text("{}")
    (tmp_path / 'it\'s "odd" $(x)').write_text("odd")
    (tmp_path / "two\nlines").write_text("f:644:root:root:regular file:/etc/forged")
    (tmp_path / "link").symlink_to("plain.json")
    (tmp_path / "below").mkdir()
    return tmp_path


def test_what_lies_in_a_watched_folder_is_hashed(folder: Path) -> None:
    files: Any = survey("j-1", doors(hub=HUB, aws=CLUSTER), load(BASE)).reading("file").seen
    mine = {path: one for path, one in files.items() if str(folder) in path}

    for name, content in (("plain.json", "{}"), ('it\'s "odd" $(x)', "odd")):
        seen = mine.pop(f"{folder}/{name}")
        assert isinstance(seen, Present)
        assert seen.resource.stated()["sha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert isinstance(mine.pop(f"{folder}/link"), Present)
    (odd,) = mine
    assert odd.startswith("'"), "stat quotes a name with a line break, and it is not lost"
    assert isinstance(files["/home/jovyan/jupyterhub_cookie_secret"], Absent)


def test_every_field_of_the_cluster_is_asked_for(folder: Path) -> None:
    seen: Any = survey("j-1", doors(hub=HUB, aws=CLUSTER), load(BASE)).reading("cluster").seen
    unread = seen["cluster"].unread

    assert folder.exists()
    assert seen["cluster"].resource.stated()["masters"] == 1
    assert unread == {
        "world_ports": "no DescribeSecurityGroups",
        "idle_timeout": "no GetAutoTerminationPolicy",
        "encryption": "no DescribeSecurityConfiguration",
    }


def test_other_containers_are_listed_once(folder: Path) -> None:
    ways = doors(hub=HUB, aws=CLUSTER)
    survey("j-1", ways, load(BASE))

    assert folder.exists()
    assert getattr(ways.container, "asked", None) == [True, False], "the second look is about users and files alone"


def test_people_are_asked_about_and_the_system_is_not(folder: Path) -> None:
    users: Any = survey("j-1", doors(hub=HUB, aws=CLUSTER), load(BASE)).reading("user").seen

    assert folder.exists()
    assert "default_password" in (users["daemon"].unread or {})
    people = [one for name, one in users.items() if one.resource.uid >= 1000 and name != "nobody"]
    assert all("default_password" not in (one.unread or {}) for one in people)


def test_a_shut_door_is_a_reason_in_every_kind_behind_it(folder: Path) -> None:
    shut = doors(DoorError("no engine"), DoorError("no hub"), CLUSTER)
    snapshot = survey("j-1", shut, load(BASE))

    assert folder.exists()
    reasons = {kind: one.reason for kind in module.KINDS if isinstance(one := snapshot.reading(kind).seen, Unreadable)}
    assert reasons == {
        **dict.fromkeys(("container", "user", "package", "kernel", "file", "config", "proxy"), "no engine"),
        "hub": "no hub",
        **dict.fromkeys(("hub_user", "hub_group", "service"), "no hub"),
        "step": "no ListSteps",
    }


def test_emr_s_folders_are_watched_with_those_of_the_baseline() -> None:
    assert watched(load(BASE)) == ["/etc/jupyter", "/etc/jupyter/conf"]
    assert watched(load(BASE.parent / "lab.yaml")) == ["/etc/jupyter", "/etc/jupyter/conf"]
