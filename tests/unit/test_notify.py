"""Messages to real receivers: a web hook and a mail server. What goes wrong is a sentence, and never an address."""

from __future__ import annotations

import email
import email.policy
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from hubspec.cluster import notify
from hubspec.cluster.notify import LARGEST, People
from tests.receiver import SECRET, Receiver, receiving

TEXT = "1 of 6 checks found drift.\n\n- **high, new** `PKG-01` `package numpy`: `<b>numpy</b> *is* 1.24.0`\n"


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def receiver(hook: Receiver) -> Receiver:
    hook.messages.clear()
    return hook


def tell(people: People) -> list[str]:
    said = people.tell("hubspec, j-A: Not compliant", TEXT, "failure")
    assert SECRET not in "".join(said)
    return said


def people(folder: Path, text: str | bytes | None, urls: str = "", deadline: float = 20) -> People:
    file = folder / "people"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return People(None if text == "" else file, SecretStr(urls) if urls else None, deadline)


def test_everybody_gets_the_message_once(tmp_path: Path, receiver: Receiver) -> None:
    text = f"# who is on call\nops,night={receiver.url()}\n{receiver.url()}?more=1\n"
    assert tell(people(tmp_path, text, f"{receiver.url()} {receiver.url()}?b=2")) == []
    assert [(one["title"], one["message"].strip(), one["type"]) for one in receiver.messages] == [
        ("hubspec, j-A: Not compliant", TEXT.strip(), "failure")
    ] * 4


OK, NO = "{OK}", "{NO}"
FAULTS: list[tuple[str | bytes | None, str, list[str]]] = [
    # the file, HUBSPEC_NOTIFY_URLS, what is said
    ("", NO, ["nobody was told: service 1 (JSON) answered 503"]),
    ("", f"{OK} {NO}", ["not everybody was told: service 2 (JSON) answered 503"]),
    ("", f"json://{SECRET}@127.0.0.1:1/", ["nobody was told: service 1 (JSON) could not be connected to"]),
    ("", f"{OK} nonsense://{SECRET}", ["not everybody was told: address 2 of HUBSPEC_NOTIFY_URLS is none that Apprise knows"]),
    ("", SECRET, ["nobody was told: address 1 of HUBSPEC_NOTIFY_URLS is none that Apprise knows"]),
    (f"urls:\n  - {OK}\n  - nonsense://{SECRET}\n", "", ["not everybody was told: entry 2 of the file cannot be used by Apprise"]),
    (f"urls:\n  - slack://{SECRET}\n", "", ["nobody was told: entry 1 of the file cannot be used by Apprise"]),
    (f"{OK}\nnonsense://{SECRET}\n", "", ["not everybody was told: line 2 of the file cannot be used by Apprise"]),
    (f"include: file:///{SECRET}.yml\nurls:\n  - {OK}\n", "", ["not everybody was told: the file names another to include, which is not read"]),
    (f"urls: [{SECRET}}}\n", "", ["nobody was told: the file holds no address that Apprise can use"]),
    ("\n", "", ["nobody was told: the file holds no address that Apprise can use"]),
    (SECRET, "", ["nobody was told: line 1 of the file cannot be used by Apprise"]),
    (b"\xff\xfe\x00", "", ["nobody was told: {file} cannot be read: it is no text in UTF-8"]),
    (b"#" * (LARGEST + 1), "", ["nobody was told: {file} cannot be read: it is larger than 128 kB"]),
    (None, "", ["nobody was told: {file} cannot be read: No such file or directory"]),
    (None, OK, ["not everybody was told: {file} cannot be read: No such file or directory"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "urls", "said"), FAULTS)
def test_what_went_wrong_is_said_without_an_address(
    tmp_path: Path, receiver: Receiver, text: str | bytes | None, urls: str, said: list[str]
) -> None:
    def filled(one: Any) -> Any:
        return one.replace(OK, receiver.url()).replace(NO, receiver.url("503")) if isinstance(one, str) else one

    wanted = [one.replace("{file}", str(tmp_path / "people")) for one in said]
    assert tell(people(tmp_path, filled(text), filled(urls))) == wanted
    assert len(receiver.messages) == ("not everybody" in "".join(said))


def test_who_does_not_answer_costs_the_deadline_and_nobody_else(tmp_path: Path, receiver: Receiver) -> None:
    said = tell(people(tmp_path, "", f"{receiver.url('slow')} {receiver.url()}", deadline=1))
    assert said == ["not everybody was told: service 1 (JSON) did not answer in time"]
    assert len(receiver.messages) == 1


def test_an_interrupt_ends_the_sending_and_nothing_else(tmp_path: Path, receiver: Receiver) -> None:
    threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    assert tell(people(tmp_path, "", receiver.url("slow"))) == ["perhaps nobody was told: it was interrupted"]
    assert time.monotonic() - began < 10


def test_a_process_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fifo = tmp_path / "apprise.py"
    fifo.write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(notify, "SLACK", 0.2)
    assert tell(people(tmp_path, "", f"json://{SECRET}@h", deadline=0.5)) == [
        "perhaps nobody was told: sending the message did not end within 0.5 s"
    ]


def test_a_process_that_breaks_says_nothing_of_what_it_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "apprise.py").write_text("import sys; raise ValueError(sys.stdin.buffer.read())")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert tell(people(tmp_path, "", f"json://{SECRET}@h")) == [
        "perhaps nobody was told: the process that sends messages ended with 1"
    ]
    assert SECRET not in "".join(capfd.readouterr())


def test_without_apprise_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify.importlib.util, "find_spec", lambda _: None)
    assert tell(people(tmp_path, "", f"json://{SECRET}@h")) == [
        "nobody was told: Apprise, which sends messages, is not installed: pip install 'hubspec[notify]'"
    ]


def test_the_secrets_of_an_audit_are_not_with_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apprise.py").write_text(
        "import os, pathlib; pathlib.Path(os.environ['SEEN']).write_text(repr(dict(os.environ)))"
    )
    seen = tmp_path / "seen"
    for name, value in {"PYTHONPATH": str(tmp_path), "SEEN": str(seen), "HUBSPEC_HUB_TOKEN": SECRET}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(notify.URLS, f"json://{SECRET}@h")
    assert len(tell(people(tmp_path, "", f"json://{SECRET}@h"))) == 1
    assert "PYTHONPATH" in seen.read_text()
    assert SECRET not in seen.read_text()
    assert SECRET in os.environ["HUBSPEC_HUB_TOKEN"]


class Mails:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - its name in aiosmtpd
        self.mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"


def test_a_mail_is_html_in_which_what_was_found_is_no_markup(tmp_path: Path) -> None:
    mails = Mails()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(mails, hostname="127.0.0.1", port=port)
    server.start()
    try:
        url = f"mailto://127.0.0.1:{port}?mode=insecure&from=hubspec@example.org&to=ada@example.org"
        assert tell(people(tmp_path, "", url)) == []
    finally:
        server.stop()
    ((to, mail),) = mails.mails
    assert to == ["ada@example.org"]
    assert mail["Subject"] == "hubspec, j-A: Not compliant"
    html = mail.get_body(("html",)).get_content()
    assert "<strong>high, new</strong> <code>PKG-01</code>" in html
    assert "<code>&lt;b&gt;numpy&lt;/b&gt; *is* 1.24.0</code>" in html
