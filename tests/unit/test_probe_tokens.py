"""The probe of the tokens, really run by sh against a made-up hub: its process, its settings, its database."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hubspec import token_probe
from hubspec.kind import Undeclared
from hubspec.kinds import KINDS
from hubspec.model import Observation, Present

CANARIES = ("sha512:1:canary-salt:canary-hash", "canary", "canary-prefix")
TABLES = {
    # version of JupyterHub -> its tables, as `orm.py` of that version makes them, without what is not read
    "0.8": "",
    "0.9": ", created DATETIME, expires_at DATETIME, last_activity DATETIME, note VARCHAR(1023)",
    "2.3": ", created DATETIME, expires_at DATETIME, last_activity DATETIME, note VARCHAR(1023), client_id VARCHAR(255)",
    "5.4": ", created DATETIME, expires_at DATETIME, last_activity DATETIME, note VARCHAR(1023), client_id VARCHAR(255), scopes TEXT",
}
MADE = "2020-01-02 03:04:05.000006"


def database(path: Path, version: str, tokens: list[dict[str, Any]]) -> Path:
    db = sqlite3.connect(path)
    db.executescript(
        f"""CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(255));
        CREATE TABLE services (id INTEGER PRIMARY KEY, name VARCHAR(255));
        CREATE TABLE servers (id INTEGER PRIMARY KEY, base_url VARCHAR(255));
        CREATE TABLE spawners (id INTEGER PRIMARY KEY, user_id INTEGER, server_id INTEGER, started DATETIME);
        CREATE TABLE api_tokens (id INTEGER PRIMARY KEY, user_id INTEGER, service_id INTEGER,
          hashed VARCHAR(255), prefix VARCHAR(16){TABLES[version]});
        INSERT INTO users VALUES (1, 'jovyan'), (2, 'diego');
        INSERT INTO services VALUES (1, 'report');
        INSERT INTO servers VALUES (1, '/user/diego/');
        INSERT INTO spawners VALUES (1, 1, NULL, NULL), (2, 2, 1, '2020-01-02 03:04:06.000000');"""  # noqa: S608
    )
    if version == "2.3":
        db.executescript("""CREATE TABLE roles (id INTEGER PRIMARY KEY, name VARCHAR(255), scopes TEXT);
          CREATE TABLE api_token_role_map (api_token_id INTEGER, role_id INTEGER);
          INSERT INTO roles VALUES (1, 'token', '["inherit"]'), (2, 'reader', '["read:users"]');
          INSERT INTO api_token_role_map VALUES (1, 1), (1, 2);""")
    for token in tokens:
        row = {"hashed": CANARIES[0], "prefix": CANARIES[2]} | token
        marks = ", ".join("?" * len(row))
        db.execute(f"INSERT INTO api_tokens ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
    db.commit()
    db.close()
    return path


@dataclass
class Process:
    """An entry of a made-up /proc."""

    argv: tuple[str, ...]
    cwd: Path | None = None
    parent: str = "1"
    mine: bool = field(default=True)


HUB = ("/opt/conda/bin/python3", "/opt/conda/bin/jupyterhub", "-f", "hub config.py")


def look(folder: Path, processes: dict[str, Process]) -> subprocess.CompletedProcess[str]:
    proc = folder / "proc $(touch pwned)"
    for pid, process in processes.items():
        (proc / pid).mkdir(parents=True)
        (proc / pid / "cmdline").write_text("".join(f"{word}\0" for word in process.argv))
        uid = os.getuid() if process.mine else 65534
        ids = f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}"
        (proc / pid / "status").write_text(f"Name:\tpython3\nPPid:\t{process.parent}\n{ids}\n")
        if process.cwd:
            (proc / pid / "cwd").symlink_to(process.cwd)
    before = token_probe.PROC, token_probe.PYTHONS
    token_probe.PROC, token_probe.PYTHONS = str(proc), f"/no/such/python {sys.executable}"
    try:
        script = KINDS["hub_token"].probe((), Undeclared(policy="ignore"))
    finally:
        token_probe.PROC, token_probe.PYTHONS = before
    done = subprocess.run(["sh"], input=script, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert not list(folder.rglob("pwned"))
    assert not [canary for canary in CANARIES if canary in done.stdout + done.stderr]
    return done


def seen(folder: Path, processes: dict[str, Process] | None = None) -> dict[str, Observation]:
    done = look(folder, processes or {"17": Process(HUB, folder)})
    assert (done.returncode, done.stderr) == (0, "")
    return KINDS["hub_token"].parse(done.stdout)


def told(one: Observation) -> dict[str, Any]:
    assert isinstance(one, Present)
    return one.resource.stated() | dict.fromkeys(one.unread or {}, "unread")


TOKENS: list[dict[str, Any]] = [
    {"id": 1, "user_id": 1, "note": "command-line generated", "created": MADE},
    {"id": 2, "user_id": 2, "note": "Server at /user/diego/", "created": MADE},
    {"id": 3, "user_id": 2, "note": "$(touch pwned)/ü (x)", "created": MADE, "expires_at": "2999-01-01 00:00:00.000000"},
    {"id": 4, "service_id": 1, "note": "from config", "created": MADE},
]  # fmt: skip


@pytest.mark.parametrize("version", ["0.9", "2.3", "5.4"])
def test_people_and_services_are_read_in_every_version(version: str, tmp_path: Path) -> None:
    extra: dict[str, list[str]] = {"2.3": ["inherit", "read:users"], "5.4": ["read:users"]}
    tokens = [dict(token) for token in TOKENS]
    if version == "5.4":
        tokens[0]["scopes"] = '["read:users"]'
    if version != "0.9":
        tokens = [token | {"client_id": "jupyterhub"} for token in tokens]
        tokens.append({"id": 5, "user_id": 2, "created": MADE, "note": "", "client_id": "jupyterhub-user-diego"})
    database(tmp_path / "jupyterhub.sqlite", version, tokens)

    found = seen(tmp_path)
    assert list(found) == [
        "jovyan/command-line generated (a1)",
        "diego/$(touch pwned)/ü (x) (a3)",
        "service:report/from config (a4)",
    ]
    assert told(found["jovyan/command-line generated (a1)"])["scopes"] == extra.get(version, ["inherit"])
    assert told(found["diego/$(touch pwned)/ü (x) (a3)"])["expires"] is True


def test_nothing_is_written_and_nothing_else_is_made(tmp_path: Path) -> None:
    path = database(tmp_path / "jupyterhub.sqlite", "0.9", TOKENS)
    path.chmod(0o444)
    before = path.read_bytes()
    assert len(seen(tmp_path)) == 3
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("jupyterhub")] == ["jupyterhub.sqlite"]


PLACES = [
    # settings, more words of the command line, where the database is
    ("", [], "jupyterhub.sqlite"),
    ("c.JupyterHub.db_url = 'sqlite:///named.sqlite'", [], "named.sqlite"),
    ("c.JupyterHub.db_url = 'sqlite:////ROOT/abs.sqlite'", [], "abs.sqlite"),
    ("c.JupyterHub.db_url = 'sqlite+pysqlite:///it.sqlite?timeout=5'", [], "it.sqlite"),
    ("c.JupyterHub.db_url = 'plain.sqlite'", [], "plain.sqlite"),
    ("c.JupyterHub.db_url = 'first.sqlite'\nc.JupyterHub.db_url = 'last.sqlite'", [], "last.sqlite"),
    ("c.JupyterHub.db_url = 'settings.sqlite'", ["--db=sqlite:///line.sqlite"], "line.sqlite"),
    ("", ["--db", "sqlite:///line.sqlite"], "line.sqlite"),
    ("", ["--JupyterHub.db_url=sqlite:///line #1?.sqlite"], "line #1"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "words", "place"), PLACES)
def test_the_database_is_found_as_the_hub_finds_it(settings: str, words: list[str], place: str, tmp_path: Path) -> None:
    root = str(tmp_path).lstrip("/")
    (tmp_path / "hub config.py").write_text(f"c = get_config()\n{settings.replace('ROOT', root)}\n")
    database(tmp_path / place, "0.9", TOKENS)
    assert len(seen(tmp_path, {"17": Process((*HUB, *words), tmp_path)})) == 3


UNREAD = [
    # settings, sentence
    ("c.JupyterHub.db_url = 'postgresql://hub:canary@db/hub'", "the hub's database is one of postgresql, and only a file of sqlite can be read; each user sees their own at /hub/token"),
    ("import os\nc.JupyterHub.db_url = os.environ['DB']", "where the hub keeps its database is not written out in HERE/hub config.py; each user sees their own at /hub/token"),
    ("c.JupyterHub.db_url = 'not closed", "where the hub keeps its database is not written out in HERE/hub config.py; each user sees their own at /hub/token"),
    ("c.JupyterHub.db_url = 'gone.sqlite'", "the hub's database gone.sqlite is not there, or the folder that the hub runs in cannot be seen"),
    ("c.JupyterHub.db_url = 'hub config.py'", "the hub's database could not be read: file is not a database"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "sentence"), UNREAD)
def test_what_cannot_be_read_is_said(settings: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "hub config.py").write_text(f"{settings}\n# {'long enough to be no database ' * 40}")
    done = look(tmp_path, {"17": Process(HUB, tmp_path)})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{sentence.replace('HERE', str(tmp_path))}\n"


def test_a_hub_before_0_9_says_too_little(tmp_path: Path) -> None:
    database(tmp_path / "jupyterhub.sqlite", "0.8", [{"id": 1, "user_id": 1}])
    done = look(tmp_path, {"17": Process(HUB, tmp_path)})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == '{"unnoted": true}\n'


def test_a_locked_database_is_waited_for_and_then_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_probe, "_READ", token_probe._READ.replace("timeout=10", "timeout=0.2"))
    writer = sqlite3.connect(database(tmp_path / "jupyterhub.sqlite", "0.9", TOKENS))
    writer.execute("BEGIN EXCLUSIVE")
    done = look(tmp_path, {"17": Process(HUB, tmp_path)})
    writer.close()
    assert (done.returncode, done.stderr) == (1, "the hub's database could not be read: database is locked\n")


def test_where_the_hub_s_own_folder_is_hidden_that_of_its_proxy_or_parent_is_taken(tmp_path: Path) -> None:
    (home := tmp_path / "home").mkdir()
    database(home / "jupyterhub.sqlite", "0.9", TOKENS)
    proxy = Process(("node", "configurable-http-proxy"), home, parent="17")
    assert len(seen(tmp_path, {"17": Process(HUB), "20": proxy})) == 3
    (tmp_path / "2").mkdir()
    by_parent = {"1": Process(("entry.sh",), home, parent="0"), "17": Process(HUB)}
    assert len(seen(tmp_path / "2", by_parent)) == 3


def test_who_is_not_root_names_no_database(tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("only root can make a process of somebody else")
    database(tmp_path / "jupyterhub.sqlite", "0.9", TOKENS)
    (other := tmp_path / "other").mkdir()
    database(other / "jupyterhub.sqlite", "0.9", [])
    fake = Process(HUB, other, mine=False)
    planted = Process(("python3", "-m", "notebook"), other, parent="17", mine=False)
    assert len(seen(tmp_path, {"5": fake, "17": Process(HUB, tmp_path), "30": planted})) == 3

    (tmp_path / "2").mkdir()
    done = look(tmp_path / "2", {"5": fake})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("no jupyterhub process of root runs in the container")


@pytest.mark.parametrize(
    "argv",
    [
        ("sh", "-c", "jupyterhub -f x"),
        ("/opt/conda/bin/jupyterhub-singleuser",),
        ("python3", "/opt/conda/bin/jupyterhub", "token", "jovyan"),
        (),
    ],
)
def test_only_the_hub_itself_is_the_hub(argv: tuple[str, ...], tmp_path: Path) -> None:
    database(tmp_path / "jupyterhub.sqlite", "0.9", TOKENS)
    assert look(tmp_path, {"9": Process(argv, tmp_path)}).returncode == 1
