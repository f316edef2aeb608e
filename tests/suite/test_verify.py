"""`python -m hubspec verify` over the report of a real run: each way to alter it is named; a signature by a real ssh-keygen."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from snapshots import user, write

from hubspec.__main__ import main
from hubspec.signature import SignatureError, sign
from hubspec.verify import verify as verified
from tests.conftest import Audit, Run

USERS = "checks/test_users.py"
needs_keygen = pytest.mark.skipif(
    not shutil.which("ssh-keygen"), reason="no ssh-keygen: apt-get install openssh-client"
)


Verify = Callable[..., tuple[int, str]]
MADE: dict[str, Run] = {}


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Verify:
    """Run the command in this process; an audit has one of its own."""

    def go(*args: object) -> tuple[int, str]:
        try:
            code = main(["verify", *map(str, args)])
        except SystemExit as wrong:
            code = int(wrong.code or 0)
        said = capsys.readouterr()
        return code, said.out + said.err

    return go


def key(folder: Path, name: str, passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", folder / name, "-C", name], check=True)
    return folder / name


def allowed(folder: Path, of: Path, options: str = "") -> Path:
    path = folder / "allowed"
    path.write_text(f"{of.name}@example.org {options} {of.with_name(of.name + '.pub').read_text()}")
    return path


@pytest.fixture
def run(audit: Audit, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Give each test a copy of one report."""
    if not MADE:
        made = audit(*write(tmp_path, diego=user(1007)), checks=USERS, into="made")
        kept = tmp_path_factory.mktemp("kept")
        MADE["run"] = Run(made.code, made.text, shutil.copytree(made.folder, kept / "reports"))
    one = MADE["run"]
    return Run(one.code, one.text, shutil.copytree(one.folder, tmp_path / "reports"))


def test_a_report_is_as_its_run_left_it_and_its_head_is_told_everywhere(run: Run, verify: Verify) -> None:
    latest = run.folder / "latest"
    manifest = json.loads((latest / "manifest.json").read_text())
    code, text = verify(latest)

    assert (code, run.code) == (0, 1)
    assert "as its run left it: 4 records" in text
    assert "not signed" in text
    assert f"head: {manifest['head']}" in run.text
    assert manifest["head"] in (latest / "report.html").read_text()
    assert verify(latest, "--head", manifest["head"])[0] == 0
    assert {name for name in manifest["files"] if "/" not in name} >= {
        "records.jsonl",
        "report.html",
        "junit.xml",
        "chain.jsonl",
    }


def test_the_manifest_holds_what_the_run_was_made_of(audit: Audit, tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    options = write(tmp_path)
    (tmp_path / "mine.yaml").write_text("extends: baseline.yaml\n")
    for command in (["init", "-q"], ["add", "baseline.yaml", "mine.yaml"], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / "mine.yaml").write_text("extends: baseline.yaml\ntitle: mine\n")
    run = audit(
        *options, "--baseline", str(tmp_path / "mine.yaml"), "--hub-url", "https://hub.example:9443", checks=USERS
    )
    inputs = json.loads((run.folder / "latest" / "manifest.json").read_text())["inputs"]

    files = {Path(file["path"]).name: (file["commit"], file.get("dirty")) for file in inputs["files"]}
    assert files == {"baseline.yaml": (commit, False), "mine.yaml": (commit, True), "snapshot.json": (commit, True)}
    assert inputs["options"]["--hub-url"] == "https://hub.example:9443"
    assert inputs["suite"]["version"]
    assert {"pytest", "pydantic"} <= inputs["libraries"].keys()


def cut(latest: Path, name: str, change: Callable[[list[str]], list[str]]) -> None:
    path = latest / name
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


LINES: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "one byte": (lambda ls: [ls[0].replace("1007", "1001", 1), *ls[1:]], "records.jsonl: line 1: the record USR-01 user diego of j-SNAP (checks/test_users.py::test_declared[diego]) was changed"),
    "removed": (lambda ls: ls[1:], "records.jsonl: the record USR-01 user diego of j-SNAP (checks/test_users.py::test_declared[diego]) was removed: it stood in line 1"),
    "added": (lambda ls: [*ls, '{"outcome": "compliant"}\n'], "records.jsonl: line 5: was added"),
    "swapped": (lambda ls: [ls[1], ls[0], *ls[2:]], "records.jsonl: line 1: the record USR-02 user diego of j-SNAP (checks/test_users.py::test_declared[diego:USR-02]) was moved: it stood in line 2"),
    "half a line": (lambda ls: [*ls[:3], ls[3][:40]], "records.jsonl: line 4: the record"),
    "all": (lambda _: [], "records.jsonl: the record"),
}  # fmt: skip


def test_each_alteration_of_a_record_names_it(run: Run, tmp_path: Path, verify: Verify) -> None:
    for name, (change, sentence) in LINES.items():
        latest = tmp_path / "copy"
        shutil.rmtree(latest, ignore_errors=True)
        shutil.copytree(run.folder / "latest", latest)
        cut(latest, "records.jsonl", change)
        code, text = verify(latest)
        assert (code, sentence in text) == (1, True), (name, text)
        assert text.endswith("altered\n"), name


def _manifest(latest: Path, **changes: object) -> None:
    path = latest / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "page": (lambda at: (at / "report.html").write_text("Compliant"), "report.html was changed: its SHA-256 is not the one in manifest.json"),
    "gone": (lambda at: (at / "junit.xml").unlink(), "junit.xml is missing"),
    "more": (lambda at: (at / "allure-results" / "x.json").write_text("{}"), "allure-results/x.json was added: the run wrote no such file"),
    "link": (lambda at: ((at / "junit.xml").rename(at.parent / "j"), (at / "junit.xml").symlink_to(at.parent / "j")), "junit.xml is a link to elsewhere"),
    "no manifest": (lambda at: (at / "manifest.json").unlink(), "manifest.json is missing: nothing says what the run left here"),
    "half a manifest": (lambda at: (at / "manifest.json").write_text('{"hub'), "manifest.json is no manifest of a report: it is not the JSON that was written (line 1)"),
    "poor manifest": (lambda at: (at / "manifest.json").write_text('{"hubspec_manifest": 1}'), "manifest.json is no whole manifest: inputs is missing"),
    "another manifest": (lambda at: _manifest(at, hubspec_manifest=9), "is a manifest of schema 9, and this hubspec reads schema 1"),
    "inputs": (lambda at: _manifest(at, inputs={"run": "x"}), "manifest.json: its 'inputs' is not what the chain was made with"),
    "end": (lambda at: _manifest(at, end={"exit_code": 0}), "manifest.json: its 'end' is not what the chain was made with"),
    "head": (lambda at: _manifest(at, head="0" * 64), "manifest.json: its head is not the one with which chain.jsonl ends"),
    "two heads": (lambda at: cut(at, "manifest.json", lambda ls: [ls[0], ' "head": "0",\n', *ls[1:]]), "manifest.json is no manifest of a report: it is not the JSON that was written"),
    "size": (lambda at: cut(at, "manifest.json", lambda ls: [re.sub(r'"bytes": \d+', '"bytes": 1', line) for line in ls]), "manifest.json: the size that it has for chain.jsonl is not its own"),
    "no chain": (lambda at: (at / "chain.jsonl").unlink(), "chain.jsonl is missing"),
    "broken chain": (lambda at: (at / "chain.jsonl").write_text("{\n"), "chain.jsonl: line 1 is no link of a chain"),
    "chain": (lambda at: cut(at, "chain.jsonl", lambda ls: [ls[0], *ls[2:]]), "does not follow from the link before it"),
}  # fmt: skip


def test_each_alteration_of_a_file_is_told(run: Run, tmp_path: Path, verify: Verify) -> None:
    for name, (change, sentence) in FILES.items():
        latest = tmp_path / name
        shutil.copytree(run.folder / "latest", latest)
        change(latest)
        code, text = verify(latest)
        assert (code, sentence in text) == (1, True), (name, text)


@pytest.mark.parametrize("name", ["records.jsonl", "chain.jsonl", "manifest.json"])
def test_no_byte_can_be_changed(name: str, run: Run, tmp_path: Path) -> None:
    latest = tmp_path / "copy"
    shutil.copytree(run.folder / "latest", latest)
    content = (latest / name).read_bytes()
    for place in (*range(0, len(content), 1 + len(content) // 60), len(content) - 1):
        (latest / name).write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        found = verified(latest, None, None)
        assert found.code == 1, (place, content[place - 20 : place + 20])
        assert name != "records.jsonl" or any(fault.record for fault in found.faults), place
    (latest / name).write_bytes(content)
    assert verified(latest, None, None).code == 0


def test_a_report_made_anew_is_told_by_the_head_that_somebody_noted(
    run: Run, audit: Audit, tmp_path: Path, verify: Verify
) -> None:
    (tmp_path / "later").mkdir()
    forged = audit(*write(tmp_path / "later"), checks=USERS, into="forged")
    noted = json.loads((run.folder / "latest" / "manifest.json").read_text())["head"]

    assert verify(forged.folder / "latest")[0] == 0
    code, text = verify(forged.folder / "latest", "--head", noted)
    assert code == 1
    assert "and not with the head that was given: it is another one" in text


def test_as_json(run: Run, verify: Verify) -> None:
    latest = run.folder / "latest"
    cut(latest, "records.jsonl", LINES["one byte"][0])
    code, text = verify(latest, "--json")
    told = json.loads(text)

    assert (code, told["verdict"], told["run"]) == (1, "altered", run.records[0]["run"])
    assert [(fault["file"], fault["line"], fault["record"]) for fault in told["faults"]] == [
        ("records.jsonl", 1, "USR-01 user diego of j-SNAP")
    ]


def test_what_is_asked_wrongly(run: Run, tmp_path: Path, verify: Verify) -> None:
    code, text = verify(tmp_path / "nowhere")
    assert (code, "there is no such folder" in text) == (4, True)
    assert verify()[0] == 4
    (run.folder / "latest" / "report.html").chmod(0)
    code, text = verify(run.folder / "latest")
    if os.geteuid():  # root reads everything
        assert (code, "report.html cannot be read" in text) == (11, True)


@needs_keygen
def test_a_signature_vouches_for_all_of_it(audit: Audit, tmp_path: Path, verify: Verify) -> None:
    signer, other = key(tmp_path, "ana"), key(tmp_path, "li")
    run = audit(*write(tmp_path, diego=user(1007)), "--sign-key", str(signer), checks=USERS)
    latest = run.folder / "latest"

    assert run.code == 1
    code, text = verify(latest, "--allowed-signers", allowed(tmp_path, signer, 'namespaces="hubspec"'))
    assert (code, "signed by ana@example.org with the ED25519 key SHA256:" in text) == (0, True), text
    code, text = verify(latest)
    assert (code, "whose key that is was not asked" in text) == (0, True)
    code, text = verify(latest, "--allowed-signers", allowed(tmp_path, other))
    assert (code, "of no allowed signer" in text) == (1, True)
    code, text = verify(latest, "--allowed-signers", allowed(tmp_path, signer, 'valid-before="20200101"'))
    assert (code, "key has expired" in text) == (1, True)
    code, text = verify(latest, "--allowed-signers", allowed(tmp_path, signer, 'namespaces="git"'))
    assert (code, "of no allowed signer" in text) == (1, True)
    code, text = verify(latest, "--allowed-signers", tmp_path / "nowhere")
    assert (code, "there is no such file" in text) == (11, True)

    (latest / "manifest.json").write_text((latest / "manifest.json").read_text().replace('"--reports"', '"--report"'))
    code, text = verify(latest)
    assert (code, "manifest.json.sig does not fit manifest.json: one of them was changed" in text) == (1, True)
    (latest / "manifest.json.sig").unlink()
    code, text = verify(latest, "--allowed-signers", allowed(tmp_path, signer))
    assert (code, "the report is not signed" in text) == (1, True)


@needs_keygen
def test_without_a_program_to_judge_it_a_signature_is_not_called_good(
    audit: Audit, tmp_path: Path, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = key(tmp_path, "ana")
    run = audit(*write(tmp_path), checks=USERS, env={"HUBSPEC_SIGN_KEY": str(signer)})
    args = run.folder / "latest", "--allowed-signers", allowed(tmp_path, signer)
    monkeypatch.setenv("PATH", str(tmp_path))
    code, text = verify(*args)

    assert run.code == 0
    assert (code, "there is no program ssh-keygen here: a signature needs OpenSSH's client" in text) == (11, True)


@needs_keygen
def test_a_key_of_the_agent_signs_by_its_public_half(audit: Audit, tmp_path: Path, verify: Verify) -> None:
    signer = key(tmp_path, "ana", "a passphrase")
    asker = tmp_path / "ask"
    asker.write_text("#!/bin/sh\necho a passphrase\n")
    asker.chmod(0o700)
    started = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    agent = dict(word.split("=", 1) for word in started.replace("\n", " ").split("; ") if "=" in word)
    try:
        env = {**os.environ, **agent, "SSH_ASKPASS": str(asker), "SSH_ASKPASS_REQUIRE": "force"}
        subprocess.run(["ssh-add", "-q", signer], env=env, check=True, start_new_session=True)
        public = str(signer.with_name("ana.pub"))
        run = audit(*write(tmp_path), "--sign-key", public, checks=USERS, env={"SSH_AUTH_SOCK": agent["SSH_AUTH_SOCK"]})
    finally:
        subprocess.run(["ssh-agent", "-k"], env={**os.environ, **agent}, capture_output=True, check=True)

    assert run.code == 0, run.text
    assert verify(run.folder / "latest", "--allowed-signers", allowed(tmp_path, signer))[0] == 0


@needs_keygen
def test_a_key_that_cannot_sign_is_told_before_anything_is_looked_at(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = write(tmp_path)
    locked, shown = key(tmp_path, "locked", "a passphrase"), key(tmp_path, "shown")
    shown.chmod(0o644)
    (tmp_path / "text").write_text("no key")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    for path, sentence in {
        locked: f"its passphrase is asked of nobody here, and the agent does not have it: ssh-add {locked}",
        shown: f"others may read it, so ssh-keygen does not take it: chmod 600 {shown}",
        tmp_path / "text": "is no SSH key",
        tmp_path / "nowhere": f"there is no file {tmp_path}/nowhere",
    }.items():
        with pytest.raises(SignatureError, match=re.escape(sentence)):
            sign(path, b"")
    run = audit(*options, "--sign-key", str(locked), checks=USERS, env={"SSH_AUTH_SOCK": None})
    assert (run.code, f"--sign-key: {locked}: its passphrase is asked of nobody here" in run.text) == (4, True), (
        run.text
    )
    assert run.records == []


@needs_keygen
def test_a_key_that_is_lost_during_the_run_hides_nothing_of_it(audit: Audit, tmp_path: Path, verify: Verify) -> None:
    signer = key(tmp_path, "ana")
    plugin = tmp_path / "loses.py"
    plugin.write_text(f"import pathlib\ndef pytest_sessionfinish():\n    pathlib.Path({str(signer)!r}).unlink()\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    options = write(tmp_path, diego=user(1007))
    run = audit(*options, "--sign-key", str(signer), "-p", "loses", checks=USERS, env={"PYTHONPATH": path})

    assert run.code == 1
    assert run.outcomes() == {"compliant": 3, "drifted": 1}
    assert f"the report is NOT signed: there is no file {signer}" in run.text
    assert verify(run.folder / "latest")[0] == 0
