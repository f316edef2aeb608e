"""What a configuration file sets, by its text: literals in their order, and never more than is known; nothing is run."""

from __future__ import annotations

import keyword
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.compare import compare, unread
from hubspec.kinds.config import KIND, Config
from hubspec.model import Present
from hubspec.settings import read_json
from hubspec.settings_python import read_python
from tests.made import present

CANARY = "c4n4ry-3f"
CODE, NONE = "code", "none"
"""Set to something that is not known; not set, as far as the file shows."""
PORTS: list[tuple[str, Any]] = [
    # what the file says, and what c.X.port is then
    ("c.X.port = 1", 1),
    ("c = get_config()\nc.X.port = 1", 1),
    ("conf = get_config()\nconf.X.port = 1", 1),
    ("get_config().X.port = 1", 1),
    ("hub = c.X\nhub.port = 1", 1),
    ("a = b = c\nb.X.port = 1", 1),
    ("c['X']['port'] = 1", 1),
    ("c.X['port'] = 1", 1),
    ("setattr(c.X, 'port', 1)", 1),
    ("c.X = {'port': 1}", 1),
    ("c.update({'X': {'port': 1}})", 1),
    ("c.X.update(port=1)", 1),
    ("c.X.port: int = 1", 1),
    ("c.X.port = 1\nc.X.port = 2", 2),
    ("c.X.port = 1; del c.X.port", NONE),
    ("c.X.port = -1", -1),
    ("c.X.port = 60 * 60 + 1", 3601),
    ("c.X.port = 'a' 'b' + 'c'", "abc"),
    ("c.X.port = None", None),
    ("c.X.port = (1, [2.5])", [1, [2.5]]),
    ("c.X.port = {'b', 'a'}", ["a", "b"]),
    ("c.X.port = {1: {'x': True}}", {"1": {"x": True}}),
    ("c.X.port = [1]\nc.X.port.append(2)\nc.X.port.extend([3])\nc.X.port += [4]", [1, 2, 3, 4]),
    ("c.X.port = {'a'}\nc.X.port.add('b')\nc.X.port |= {'c'}\nc.X.port.update(['d'])", ["a", "b", "c", "d"]),
    ("c.X.port = {'a': 1}\nc.X.port['b'] = 2\nc.X.port.update({'a': 3})", {"a": 3, "b": 2}),
    ("if x:\n    c.X.port = 2\nc.X.port = 1", 1),
    ("with open('x') as f:\n    c.X.port = 1", 1),
    ("# c.X.port = 1", NONE),
    ("'c.X.port = 1'", NONE),
    ("d.X.port = 1", NONE),
    ("print(c.X.port)", NONE),
    ("if c.X.other == 1:\n    pass", NONE),
    ("c.X.port = PORT", CODE),
    ("c.X.port = int('1')", CODE),
    ("import os\nc.X.port = os.environ", CODE),
    ("c.X.port = f'{1}'", CODE),
    ("c.X.port = 10 ** 10 ** 10", CODE),
    ("c.X.port = 'a' * 10 ** 9", CODE),
    ("c.X.port = 1e999", CODE),
    ("c.X.port = b'1'", CODE),
    ("c.X.port, y = 1, 2", CODE),
    ("if True:\n    c.X.port = 1", CODE),
    ("c.X.port = 1\nif x:\n    c.X.port = 2", CODE),
    ("for c.X.port in [1]: pass", NONE),
    ("try:\n    c.X.port = 1\nexcept: pass", CODE),
    ("match x:\n    case 1:\n        c.X.port = 1", CODE),
    ("while x:\n    c.X.port = 1", CODE),
    ("def f():\n    c.X.port = 1\nc.X.port = 2\nf()", CODE),
    ("class A:\n    c.X.port = 1", CODE),
    ("c.X.port.append(1)", CODE),
    ("c.X.port |= {1}", CODE),
    ("c.X.port = [1]\nc.X.port.sort()", CODE),
    ("c.X.port = [1]\nx = c.X.port.pop()", CODE),
    ("c.X.port = [1]\nc.X.port[0] = 2", CODE),
    ("c.X.port = {}\nc.X.port[k] = 2", CODE),
    ("c.X.port = {}\nif x:\n    c.X.port['a'] = 2", CODE),
]
CLASSES = [
    ("from s3contents import S3ContentsManager\nc.N.manager_class = S3ContentsManager", "s3contents.S3ContentsManager"),
    ("from a.b import C as D\nc.N.manager_class = D", "a.b.C"),
    ("import s3contents\nc.N.manager_class = s3contents.S3ContentsManager", "s3contents.S3ContentsManager"),
    ("import a.b as x\nc.N.manager_class = x.C", "a.b.C"),
    ("import a.b\nc.N.manager_class = a.b.C", "a.b.C"),
    ("c.N.manager_class = 's3contents.S3ContentsManager'", "s3contents.S3ContentsManager"),
    ("try:\n    from a import C\nexcept ImportError:\n    from b import C\nc.N.manager_class = C", CODE),
    ("from a import C\nC = make()\nc.N.manager_class = C", CODE),
    ("class C: pass\nc.N.manager_class = C", CODE),
]
ELSEWHERE = [
    "load_subconfig('site.py')", "exec(open('x').read())", "configure(c)", "configure(c.X)", "f(**{'c': c})", "x = [c]", "from x import *",
    "for k in d:\n    setattr(c.X, k, d[k])", "for k in d:\n    c.X[k] = d[k]", "c.X = other", "c = Config()", "c.merge(other)", "del c", "def c(): pass",
    "(lambda c=c: c)()", "globals()['c'].X.port = 1", "c.X.update(d)", "import c", "y = (c := 1)", "c += other", "c.X |= other", "c.X.update(**d)",
    "if x:\n    del c.X.port", "with c as c: pass", "@c.X\ndef f(): pass", "return_(c.X)",
]  # fmt: skip


def seen(text: str, name: str) -> Any:
    found = read_python(text)
    return CODE if name in found.unread else found.values.get(name, None if name in found.values else NONE)


@pytest.mark.parametrize(("text", "value"), PORTS, ids=[text for text, _ in PORTS])
def test_a_setting(text: str, value: Any) -> None:
    found = seen(text, "X.port")
    assert (type(found), found) == (type(value), value)
    assert value == NONE or read_python(text).lines["X.port"] >= 1


@pytest.mark.parametrize(("text", "value"), CLASSES, ids=range(len(CLASSES)))
def test_a_class_is_what_it_can_be_imported_by(text: str, value: str) -> None:
    assert seen(text, "N.manager_class") == value


@pytest.mark.parametrize("text", ELSEWHERE)
def test_what_may_set_more_is_told(text: str) -> None:
    found = read_python(f"c.X.port = 1\n{text}\n")
    assert found.more
    assert all(why.startswith("line ") for why in found.more)


@pytest.mark.parametrize("text", [text for text, _ in [*PORTS, *CLASSES]])
def test_what_is_plain_hides_nothing_more(text: str) -> None:
    assert read_python(text).more == ([] if "for c.X.port" not in text else read_python(text).more)


def test_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read_python(
        "open('pwned', 'w')\nc.X.port = __import__('os').system('touch pwned')\nimport pwned_module\nexec('open(\"pwned\", \"w\")')"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["(", "c.X.port = ", "print 'x'", "c.X.port = 'a\n", "\0", "(" * 10_000, "-" * 100_000 + "1", "a" + ".a" * 100_000, "c.X.port = " + "[" * 500 + "]" * 500]
)  # fmt: skip
def test_what_is_not_python_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"line|nested|null") as error:
        read_python(f"c.X.token = '{CANARY}'\n{text}")
    assert CANARY not in str(error.value)


SECRETS = [
    f"c.JupyterHub.api_tokens = {{'{CANARY}': 'ana'}}", f"c.JupyterHub.cookie_secret = b'{CANARY}'", f"c.ConfigurableHTTPProxy.auth_token = '{CANARY}'",
    f"c.CryptKeeper.keys = ['{CANARY}']", f"c.S3ContentsManager.secret_access_key = '{CANARY}'", f"c.S3ContentsManager.access_key_id = '{CANARY}'",
    f"c.Spawner.environment = {{'A': {{'DB_PASSWORD': '{CANARY}'}}}}", f"c.JupyterHub.services = [{{'name': 'x', 'api_token': '{CANARY}'}}]",
    f"c.JupyterHub.db_url = 'mysql://u:{CANARY}@h/d'", f"c.X.args = ['--token={CANARY}']", f"c.X.password = make('{CANARY}')",
    f"c.X.password = '{CANARY}' + 1", f"c.X.y = {{'token={CANARY}': 1}}",
]  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_no_secret_gets_out(text: str) -> None:
    assert CANARY not in repr(read_python(text))


def test_json() -> None:
    found = read_json(
        '{"a": {"url": "http://u:%s@h", "password": "%s", "auth": "", "n": {}}, "b": [1, {"api_key": "%s"}], "password": ""}'
        % ((CANARY,) * 3)
    )

    assert CANARY not in repr(found)
    assert found.values == {
        "a.url": "http://u:***@h", "a.password": "***", "a.auth": "", "a.n": {}, "b": [1, {"api_key": "***"}], "password": "",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "[]", "1", "{", "[" * 100_000, '{"a": NaN}', '{"a": 1e999}'])
def test_what_is_no_json_object_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|nested"):
        read_json(text)


PIECES = st.sampled_from([
    "c", ".X", ".port", " = ", "1", "'s'", "\n", "\n    ", "if x:", "def f():", "[", "]", "{", "}", "(", ")", ",", ":", "=", "|=", "+=", "+", "get_config()",
    "load_subconfig", "setattr", "lambda", "for", " in ", "del ", "import ", "from ", "*", "class A:", "with ", " as ", ":=", ".append", ".update", "@", "try:",
])  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_is_settings_or_a_value_error(text: str) -> None:
    for read in (read_python, read_json):
        try:
            found = read(text)
        except ValueError:
            continue
        assert not found.values.keys() & found.unread.keys()
        assert read is read_json or found.values.keys() | found.unread.keys() <= found.lines.keys()


@given(st.dictionaries(st.from_regex(r"[A-Z][a-z]{1,3}\.[a-z]{1,4}", fullmatch=True), st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9**9) | st.text("ab", max_size=3), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab"), inner, max_size=2),
)))  # fmt: skip
def test_what_is_written_out_is_read_back(settings: dict[str, Any]) -> None:
    settings = {name: value for name, value in settings.items() if not keyword.iskeyword(name.partition(".")[2])}
    text = "".join(f"c.{name} = {value!r}\n" for name, value in settings.items())

    assert read_python(text).values == settings
    drift = compare("config", Config(name="/x", settings=settings), present("config", "/x", settings=settings))
    assert drift is None


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        ({"set": True}, "***", True), ({"set": True}, "", False), ({"set": False}, None, True), ({"set": False}, "***", False),
        ({"set": True, "matches": "/.+"}, "/x", True), ({"set": True, "matches": "/.+"}, "x", False), ({"set": True, "A": "b"}, {"A": "b"}, True),
        (None, None, True), (None, "x", False), (1, True, False), (["b", "a"], ["b", "a"], True), (["b", "a"], ["a", "b"], False),
    ],
)  # fmt: skip
def test_value_forms(wanted: Any, found: Any, same: bool) -> None:  # noqa: FBT001 - a column of the table
    drift = compare(
        "config", Config(name="/x", settings={"X.y": wanted}), present("config", "/x", settings={"X.y": found})
    )
    assert (drift is None) == same


@pytest.mark.parametrize("value", [CANARY, {"matches": ".*"}, [CANARY]])
def test_a_secret_cannot_be_declared(value: Any) -> None:
    with pytest.raises(ValueError, match="may hold a secret") as error:
        Config(name="/x", settings={"X.password": value})
    assert CANARY not in str(error.value).partition("[type=")[0]


def test_what_is_not_known_of_one_setting_leaves_the_others() -> None:
    seen = present("config", "/x", {"settings.X.a": "by code", "settings.*": "more"}, settings={"X.b": 1})
    wanted = Config(name="/x", settings={"X.a": 1, "X.b": 1, "X.c": 1})

    assert compare("config", wanted, seen) is None
    assert unread(wanted, seen) == {"settings.X.a": "by code", "settings.X.c": "more"}
    other = compare("config", Config(name="/x", settings={"X.a": 1, "X.b": 2}), seen)
    assert other is not None
    assert [one.field for one in other.differences] == ["settings.X.b"]


def test_a_text_that_is_too_large_is_unreadable() -> None:
    from base64 import b64encode

    answer = f"t:/x.py:{b64encode(b'#' * 1_000_001).decode()}"
    assert "larger than" in str(KIND.parse(answer)["/x.py"])
    assert isinstance(KIND.parse("t:/x.py:Iw==")["/x.py"], Present)
