"""What was said that no setting is: the nearest that is one, and never a secret."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.__main__ import main
from hubspec.cluster.options import CONFIG, SECRETS, DoorOptions, variable
from hubspec.configured import _KNOWN, configured
from hubspec.errors import SettingsError
from hubspec.masked import secret_in_url
from hubspec.unknown import helpful, variables

CANARY = "canary-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
ROOT = Path(__file__).parents[2]
INSIDE = {"HUBSPEC_BASE", "HUBSPEC_FOLDER", "HUBSPEC_PYTHON", "HUBSPEC_HELD"}
"""Variables of scripts in the hub's container."""


def found(**environment: str) -> list[str]:
    return list(variables(environment, _KNOWN))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HUBSPEC_DOR", "ssh", "HUBSPEC_DOR: unknown setting; did you mean 'HUBSPEC_DOOR'?"),
        ("HUBSPEC_BASELINES", "x", "HUBSPEC_BASELINES: unknown setting; did you mean 'HUBSPEC_BASELINE'?"),
        ("HUBSPEC_TOKEN", CANARY, "HUBSPEC_TOKEN: unknown setting; did you mean 'HUBSPEC_HUB_TOKEN'?"),
        ("HUBSPEC_SUDOPASSWORD", CANARY, "HUBSPEC_SUDOPASSWORD: unknown setting; did you mean 'HUBSPEC_SUDO_PASSWORD'?"),
        ("HUBSPEC_hub_url", "x", "HUBSPEC_hub_url: unknown setting; "),
        ("HUBSPEC_", "x", "HUBSPEC_: unknown setting; "),
        ("HUBSPEC_\x1b[2J", "x", "HUBSPEC_\\x1b[2J: unknown setting; "),
        (f"HUBSPEC_TOKEN={CANARY}", "x", "HUBSPEC_TOKEN=***: unknown setting; "),
        ("HUBSPEC_INSECURE", "true", "HUBSPEC_INSECURE: wanted 1 or 0"),
        ("HUBSPEC_FAIL_ON_FIXED", "yes", "HUBSPEC_FAIL_ON_FIXED: wanted 1 or 0"),
        ("HUBSPEC_HUB_URL", f"https://u:{CANARY}@h", "HUBSPEC_HUB_URL: holds a password or a token in a URL"),
        ("HUBSPEC_HISTORY", f"s3://b/?X-Amz-Signature={CANARY}", "HUBSPEC_HISTORY: holds a password or a token in a URL"),
        ("HUBSPEC_CLUSTER", f"lab,ssh://u:{CANARY}@h", "HUBSPEC_CLUSTER: holds a password or a token in a URL"),
    ],
)  # fmt: skip
def test_what_a_variable_may_not_be(name: str, value: str, sentence: str) -> None:
    (fault,) = found(**{name: value})

    assert fault.startswith(sentence)
    assert CANARY not in fault


@pytest.mark.parametrize(
    "name",
    [
        *(variable(f"--{key}") for key in _KNOWN if _KNOWN[key] != "switch"), *SECRETS, variable(CONFIG), "HUBSPEC_INSTALL_ENGINE", "HUBSPEC_LAB_LOG_DELAY",
        "HUBSPEC_SERVICE_HOST", "HUBSPEC_SERVICE_PORT_HTTP", "HUBSPEC_PORT", "HUBSPEC_PORT_443_TCP_ADDR", "HUBSPEC_REPORTS_SERVICE_PORT",
    ],
)  # fmt: skip
def test_what_a_variable_may_be(name: str) -> None:
    assert found(**{name: "tcp://10.0.0.1:443"}) == []


def test_they_are_told_with_the_faults_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "hubspec.toml").write_text("dor = 1")
    with pytest.raises(SettingsError) as error:
        configured(tmp_path, None, {"HUBSPEC_DOR": "ssh"})

    assert [fault.partition(":")[0] for fault in error.value.faults] == ["HUBSPEC_DOR", "hubspec.toml"]


def test_every_variable_that_the_project_names_is_known() -> None:
    """Read what git knows, so that one that is added somewhere is added to the settings too."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [path for path in listed.split("\0") if path and not path.startswith(("tests/", "reports/"))]
    texts = [(ROOT / path).read_text(errors="replace") for path in paths if (ROOT / path).is_file()]
    names = {name for text in texts for name in re.findall(r"\bHUBSPEC_[A-Z][A-Z_]*[A-Z]\b", text)}

    assert len(names) > 20
    assert found(**dict.fromkeys(sorted(names - INSIDE), "1")) == []


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("unrecognized arguments: --dor ssh", "unrecognized arguments: --dor; --dor: did you mean '--door'?"),
        ("unrecognized arguments: --hub-tokn-file=x", "unrecognized arguments: --hub-tokn-file; --hub-tokn-file: did you mean '--hub-token-file'?"),
        ("unrecognized arguments: --zzzz", "unrecognized arguments: --zzzz"),
        ("unrecognized arguments: -x", "unrecognized arguments: -x"),
        ("argument --door: expected one argument", "argument --door: expected one argument"),
        (f"unrecognized arguments: --hub-ulr https://u:{CANARY}@h", "unrecognized arguments: --hub-ulr; --hub-ulr: did you mean '--hub-url'?"),
        (f"unrecognized arguments: --hub-token {CANARY}", "unrecognized arguments: --hub-token; --hub-token: no option takes a secret, for argv can be read by anybody; a file or a variable holds it"),
        (f"unrecognized arguments: --sudo-password={CANARY}", "unrecognized arguments: --sudo-password; --sudo-password: no option takes a secret, for argv can be read by anybody; a file or a variable holds it"),
    ],
)  # fmt: skip
def test_what_a_command_line_is_told(message: str, told: str) -> None:
    known = ["--door", "--hub-url", "--hub-token-file"]
    assert helpful(message, known) == told


def test_the_commands_tell_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HUBSPEC_DOR", "ssh")
    assert main(["init"]) == 4
    assert "HUBSPEC_DOR: unknown setting; did you mean 'HUBSPEC_DOOR'?" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="4"):
        main(["doctor", "--hub-ulr", f"https://u:{CANARY}@h"])
    told = capsys.readouterr().err
    assert "did you mean '--hub-url'?" in told
    assert CANARY not in told


def test_the_history_is_that_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.toml").write_text('reports = "nights"')
    assert main(["history", "list", "--hubspec-config", "other.toml"]) == 0
    assert capsys.readouterr().out == f"no run in {tmp_path}/nights/history\n"
    (tmp_path / "hubspec.toml").write_text('history = "past"')
    assert main(["history", "list"]) == 0
    assert capsys.readouterr().out == f"no run in {tmp_path}/past\n"
    monkeypatch.setenv("HUBSPEC_HISTORY", "none")
    assert main(["history", "list"]) == 4
    assert "switched off" in capsys.readouterr().err


@given(st.dictionaries(st.text(max_size=12).map("HUBSPEC_".__add__), st.text(max_size=20), max_size=4))
def test_whatever_the_environment_it_is_sentences(environment: dict[str, str]) -> None:
    assert all("\n" not in fault and fault.startswith("HUBSPEC_") for fault in variables(environment, _KNOWN))


@given(st.text())
def test_a_url_that_holds_a_secret_shows_it_to_a_person_too(text: str) -> None:
    assert "://" in text or not secret_in_url(text)


def test_an_option_of_a_command_line_is_refused_for_the_same(tmp_path: Path) -> None:
    class Told(DoorOptions):
        folder = tmp_path

        def given(self, option: str) -> str | None:
            return f"https://u:{CANARY}@h" if option == "--hub-url" else None

        def switched(self, _option: str) -> bool:  # type: ignore[override]
            return False

        def refuse(self, message: str) -> None:  # type: ignore[override]
            raise ValueError(message)

    with pytest.raises(ValueError, match="--hub-url: holds a password or a token in a URL") as error:
        Told().text("--hub-url")
    assert CANARY not in str(error.value)
