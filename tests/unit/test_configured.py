"""The file of settings: what it may say, every fault at once with the nearest known name, and never a secret or a value of one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.options import _TEXT
from hubspec.__main__ import main
from hubspec.cluster.options import SWITCHES, DoorOptions, Layer
from hubspec.configured import _KNOWN, _OF_A_CLUSTER, Configured, configured
from hubspec.errors import SettingsError
from tests.conftest import ROOT

CANARY = "canary-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
WHOLE = """
cluster = ["name:prod-*", "ssh://me@host"]
region = "eu-west-1"
door = "ssh"
ssh-user = "auditor"
ssh-key = "~/keys/emr.pem"
baseline = "prod.yaml"
deadline = 30
step-limit = 100
insecure = false
sudo = true
smoke = ["step", "server"]
report = ["html", "csv"]
checks = ["mine", "/etc/theirs"]

[[clusters]]
match = "name:prod-*"
baseline = "/etc/prod.yaml"
insecure = true

[[clusters]]
match = ["j-A", "tag:env=test"]
baseline = "test.yaml"
mint-token = "jovyan"
"""


def read(folder: Path, text: str) -> Configured:
    (folder / "hubspec.toml").write_text(text)
    return configured(folder, None)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as error:
        read(folder, text)
    return error.value.faults


def test_all_that_can_be_said(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)

    assert found.layer.source == "hubspec.toml"
    assert found.layer.values == {
        "--cluster": ["name:prod-*", "ssh://me@host"],
        "--region": ["eu-west-1"],
        "--door": "ssh",
        "--ssh-user": "auditor",
        "--ssh-key": str(Path("~/keys/emr.pem").expanduser()),
        "--baseline": str(tmp_path / "prod.yaml"),
        "--deadline": "30",
        "--step-limit": "100",
        "--insecure": "0",
        "--sudo": "1",
        "--smoke": "step,server",
        "--report": "html,csv",
        "--checks": [str(tmp_path / "mine"), "/etc/theirs"],
    }
    assert found.asks == {"name", "tag"}


def test_who_is_told_and_where_the_figures_go(tmp_path: Path) -> None:
    text = 'notify = "people.yml"\nnotify-on = ["new", "blind"]\nnotify-deadline = 5\nmetrics = "/var/lib/x.prom"\n'
    assert read(tmp_path, text).layer.values == {
        "--notify": str(tmp_path / "people.yml"),
        "--notify-on": "new,blind",
        "--notify-deadline": "5",
        "--metrics": "/var/lib/x.prom",
    }
    (fault,) = faults(tmp_path, f'notify-urls = "slack://{CANARY}"')
    assert fault.endswith(
        "a secret does not belong into a file of settings; use HUBSPEC_NOTIFY_URLS, or a file that notify names"
    )


@pytest.mark.parametrize(
    ("cluster", "called", "tags", "baselines"),
    [
        ("j-Z", "", {}, []),
        ("j-Z", "prod-1", {}, ["/etc/prod.yaml"]),
        ("j-A", "prod-1", {}, ["test.yaml", "/etc/prod.yaml"]),
        ("j-Z", "prod-1", {"env": "test"}, ["test.yaml", "/etc/prod.yaml"]),
        ("j-Z", "other", {"env": "prod"}, []),
    ],
)
def test_the_last_table_that_fits_counts_first(
    cluster: str, called: str, tags: dict[str, str], baselines: list[str], tmp_path: Path
) -> None:
    layers = read(tmp_path, WHOLE).layers(cluster, called, tags)

    assert [str(layer.values["--baseline"]).removeprefix(f"{tmp_path}/") for layer in layers] == baselines


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('dor = "ssh"', "dor: unknown setting; did you mean 'door'?"),
        ('ssh_user = "x"', "ssh_user: unknown setting; did you mean 'ssh-user'?"),
        ('[tool.hubspec]\ndoor = "ssh"', "tool: unknown setting; known: "),
        ("door = 3", "door: wanted text, in quotes; found a number"),
        ('deadline = "30"', "deadline: wanted a number; found text"),
        ("deadline = true", "deadline: wanted a number; found true or false"),
        ('insecure = "yes"', "insecure: wanted true or false; found text"),
        ("cluster = [1]", "cluster: wanted a list of texts; found a list"),
        ("smoke = 1979-05-27", "smoke: wanted true, or a list of names; found a date or time"),
        (f'hub-token = "{CANARY}"', "hub-token: a secret does not belong into a file of settings; use HUBSPEC_HUB_TOKEN, or hub-token-file"),
        (f'sudo_password = "{CANARY}"', "sudo_password: a secret does not belong into a file of settings; use HUBSPEC_SUDO_PASSWORD, or sudo-password-file"),
        (f'aws-secret-access-key = "{CANARY}"', "aws-secret-access-key: this looks like a secret"),
        (f'hub-url = "https://admin:{CANARY}@hub:9443"', "hub-url: holds a name or a password"),
        (f'history = "https://u:{CANARY}@h/"', "history: holds a password or a token in a URL"),
        (f'scratch = "s3://b/?X-Amz-Signature={CANARY}"', "scratch: holds a password or a token in a URL"),
        (f'cluster = ["lab", "ssh://u:{CANARY}@h"]', "cluster: holds a password or a token in a URL"),
        (f'[[clusters]]\nmatch = "ssh://u:{CANARY}@h"', "clusters[1].match: holds a password or a token in a URL"),
        (f'"https://u:{CANARY}@h" = 1', "https://u:***@h: unknown setting; known: "),
        ('[[clusters]]\ndoor = "ssh"', "clusters[1].match: wanted an id (j-*), name:PATTERN"),
        ('[[clusters]]\nmatch = "prod"', "clusters[1].match: wanted an id"),
        ("[[clusters]]\nmatch = []", "clusters[1].match: wanted an id"),
        ("[clusters]\nx = 1", "clusters: wanted tables, [[clusters]]; found a table"),
        ('[[clusters]]\nmatch = "j-A"\nreports = "x"', "clusters[1].reports: is about a whole run, and cannot be said of some of its clusters"),
        ('[[clusters]]\nmatch = "j-A"\nbaselin = "x"', "clusters[1].baselin: unknown setting; did you mean 'baseline'?"),
        ("door =", "is no TOML: "),
        ("x = " + "[" * 5000, "is no TOML: "),
        ("deadline = 1" + "0" * 5000, "is no TOML: "),
    ],
)  # fmt: skip
def test_what_it_may_not_say(text: str, sentence: str, tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, text)

    assert fault.startswith(f"hubspec.toml: {sentence}")
    assert CANARY not in fault


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    assert len(faults(tmp_path, 'dor = "x"\nregions = 3\n[[clusters]]\nmatch = 1\n[[clusters]]\nmatch="lab"\nx=1')) == 4


def test_which_file_it_is(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    assert configured(tmp_path, None).layer == Layer("")
    project.write_text("[tool.other]\ndoor = 1")
    assert configured(tmp_path, None).layer == Layer(""), "nothing is read from a file without the table"
    with pytest.raises(SettingsError, match=r"\[tool\.hubspec\]: there is no such table"):
        configured(tmp_path, "pyproject.toml")
    project.write_text('[tool.hubspec]\ndoor = "docker"\n[[tool.hubspec.clusters]]\nmatch = "j-A"\ndoor = "ssh"')
    found = configured(tmp_path, None)
    assert found.layer == Layer("pyproject.toml [tool.hubspec]", {"--door": "docker"})
    assert found.tables[0].layer == Layer("pyproject.toml [tool.hubspec], j-A", {"--door": "ssh"})
    (tmp_path / "hubspec.toml").write_text('door = "auto"')
    assert configured(tmp_path, None).layer.values == {"--door": "auto"}
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "nightly.toml").write_text('baseline = "mine.yaml"')
    assert configured(tmp_path, "below/nightly.toml").layer.values == {"--baseline": f"{tmp_path}/below/mine.yaml"}
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read"):
        configured(tmp_path, "nowhere.toml")


def test_it_knows_every_option() -> None:
    not_in_a_file = {"--hubspec-config"}
    assert {option[2:] for option in (*_TEXT, *SWITCHES) if option not in not_in_a_file} <= set(_KNOWN)


class Told(DoorOptions):
    """The options of a command line that says this much, with a table for the cluster and a file behind it."""

    layers = (Layer("table", {"--deadline": "2", "--insecure": "1", "--mint-token": "me"}), Layer("file", {"--deadline": "3", "--hub-token-file": "/t", "--sudo": "0", "--region": ["eu-west-1"]}))  # fmt: skip
    folder = Path("/here")

    def __init__(self, **words: str) -> None:
        self.words = words

    def given(self, option: str) -> str | None:
        return self.words.get(option[2:].replace("-", "_"))

    def switched(self, option: str) -> bool:
        return bool(self.given(option))

    def refuse(self, message: str) -> None:  # type: ignore[override] # it never is
        raise AssertionError(message)


def test_the_command_line_then_the_environment_then_the_table_then_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (Told().deadline, Told().source("--deadline")) == (2, "table")
    monkeypatch.setenv("HUBSPEC_DEADLINE", "4")
    assert (Told().deadline, Told().source("--deadline")) == (4, "HUBSPEC_DEADLINE")
    assert (Told(deadline="5").deadline, Told(deadline="5").source("--deadline")) == (5, "command line")
    assert (Told().sudo, Told().source("--container")) == ("never", "")
    assert Told().insecure
    monkeypatch.setenv("HUBSPEC_INSECURE", "0")
    assert not Told().insecure
    assert Told().regions == ["eu-west-1"]
    monkeypatch.setenv("HUBSPEC_REGION", "us-east-1, us-west-2,us-east-1")
    assert Told().regions == ["us-east-1", "us-west-2"]
    assert Told().text("--hub-token-file") is None, "the table says that one is made"
    monkeypatch.setenv("HUBSPEC_SUDO", "1")
    assert Told().sudo == "always"


def test_init_reads_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hubspec.toml").write_text('cluster = ["j-A", "j-B"]\nregion = "us-east-1"')
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 4
    assert "a baseline is written of one cluster, and 2 are meant: j-A, j-B" in capsys.readouterr().err
    (tmp_path / "hubspec.toml").write_text('clusters = "j-A"\ncontainr = "x"')
    assert main(["init"]) == 4
    assert "did you mean 'container'?" in capsys.readouterr().err


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from([*_KNOWN, "clusters", "match", "hub-token", "x"]) | st.text(max_size=6)


@given(
    st.dictionaries(
        KEYS,
        ANY | st.just([{"match": "j-*"}]) | st.lists(st.dictionaries(KEYS, ANY, max_size=3), max_size=2),
        max_size=4,
    )
)
def test_whatever_it_holds_it_is_settings_or_sentences(data: dict[str, object]) -> None:
    from hubspec.configured import _Reader

    try:
        found = _Reader(Path("/f"), "file").all(data)
    except SettingsError as error:
        told = error.faults
    else:
        told = []
    assert all(fault.startswith("file: ") and "\n" not in fault for fault in told)
    if told:
        return
    for layer in (found.layer, *(table.layer for table in found.tables)):
        assert all(
            isinstance(value, str) or all(isinstance(one, str) for one in value) for value in layer.values.values()
        )
    found.layers("j-A", "name", {"a": "b"})


@given(st.text(max_size=60))
def test_whatever_the_text_it_is_settings_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        configured(path.parent, path.name)
    except SettingsError as error:
        told = str(error)
        assert told.startswith("any.toml: ")


def test_the_documented_file_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "config.md").read_text()
    ((example),) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    found = read(tmp_path, example)

    def baseline(cluster: str, called: str = "", tags: dict[str, str] | None = None) -> str:
        layers = (*found.layers(cluster, called, tags or {}), found.layer)
        return Path(next(str(layer.values["--baseline"]) for layer in layers if "--baseline" in layer.values)).stem

    assert baseline("j-OTHER", "prod-1", {"team": "web"}) == "production"
    assert baseline("j-OTHER", "staging-1") == "staging"
    assert baseline("j-OTHER", "staging-1", {"team": "ml"}) == "ml"
    assert baseline("j-2AXXXXXXGAPLF") == "ml"
    assert found.layer.values["--results"] == "s3://example-audits/hubspec/", "no folder"
    assert found.layer.values["--reports"] == "/var/lib/hubspec"
    (takes,) = re.findall(r"A table takes (.*?)\.\n", page, re.DOTALL)
    assert sorted(re.findall(r"`([a-z-]+)`", takes)) == sorted(_OF_A_CLUSTER)


@pytest.mark.parametrize(("held", "token"), [("0a1b\n", "0a1b"), (" 0a1b \r\n", "0a1b"), ("\n", None), ("", None)])
def test_a_token_that_was_kept_from_a_file(monkeypatch: pytest.MonkeyPatch, held: str, token: str | None) -> None:
    monkeypatch.setenv("HUBSPEC_HUB_TOKEN", held)
    secret = Told().secret
    assert (secret.get_secret_value() if secret else None) == token
