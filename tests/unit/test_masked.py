"""Secrets in the text of others: taken out where they are named, and nothing else is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.masked import is_secret, masked, masked_arguments, masked_sentence, masked_value

SECRET = "c4n4ry-8a1f"
TABLE = [
    f"PASSWORD={SECRET}",
    f"export DB_PASSWORD='{SECRET}'",
    f'"password": "{SECRET}"',
    f"curl -H 'Authorization: token {SECRET}' https://hub",
    f"Authorization: Bearer {SECRET}",
    f"mysql --password {SECRET} -u root",
    f"mysql --password={SECRET}",
    f"https://user:{SECRET}@host/path",
    f"aws_secret_access_key = {SECRET}",
    f"AWS_SESSION_TOKEN={SECRET};",
    f"api_key: {SECRET}",
    f"JUPYTERHUB_API_TOKEN={SECRET} jupyterhub",
    f"s3://b/x?X-Amz-Date=1&X-Amz-Signature={SECRET}&x=1",
    f"redis://:{SECRET}@host",
    f"//nas:{SECRET}@host/share",
    f"https://{SECRET}@git.example/x",
]
PLAIN = [
    "the password must be changed",
    "jupyterhub token jovyan | tail -1",
    "waitProcessCompletion ended with exit code 3",
    "useradd: user 'diego' already exists",
    "https://host:9443/hub/api/users",
    "expr 12 * 3",
    "ssh://hadoop@host:22",
    "curl -H 'Authorization: token $TOKEN'",
    "run --token $TOKEN",
    "TOKEN=$(cat file)",
]
SENTENCES = [
    "there is no hub token: set HUBSPEC_HUB_TOKEN",
    "the passphrase: ask whoever made it",
]


@pytest.mark.parametrize("text", TABLE)
def test_a_named_secret_is_taken_out(text: str) -> None:
    assert SECRET not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize("text", PLAIN)
def test_anything_else_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_of_ours_stays(text: str) -> None:
    assert masked_sentence(text) == text


@pytest.mark.parametrize(
    "text", [one for one in TABLE if "key: " not in one and " = " not in one and "--password " not in one]
)
def test_what_a_sentence_quotes_is_taken_out(text: str) -> None:
    assert SECRET not in masked_sentence(f"the hub answered 500: {text}")


@pytest.mark.parametrize(
    "text",
    [
        "token" * 20_000,
        "a-" * 50_000 + "token",
        "//" * 50_000,
        "https://" + "a:" * 50_000,
        "token " * 20_000,
        "token" + " " * 100_000,
    ],
)
def test_no_text_makes_it_slow(text: str) -> None:
    begun = time.process_time()
    assert masked(text) == masked_sentence(text) == text
    assert time.process_time() - begun < 2


def test_a_value_is_masked_by_its_keys_and_by_what_is_in_it() -> None:
    value = {
        "db_password": SECRET,
        "empty_password": "",
        "token_file": "/etc/token",
        "n": [["--token", SECRET], {"secret.key": SECRET}],
        "on": True,
    }
    assert masked_value(value) == {
        "db_password": "***",
        "empty_password": "",
        "token_file": "/etc/token",
        "n": [["--token", "***"], {"secret.key": "***"}],
        "on": True,
    }


def test_the_argument_after_its_flag() -> None:
    arguments = ["mysql", "--password", SECRET, "-u", "root", f"token={SECRET}"]
    assert masked_arguments(arguments) == ["mysql", "--password", "***", "-u", "root", "token=***"]


@given(st.lists(st.text()))
def test_any_arguments_keep_their_number(arguments: list[str]) -> None:
    assert len(masked_arguments(arguments)) == len(arguments)


@given(st.text())
def test_masked_text_stays_so(text: str) -> None:
    assert masked(masked(text)) == masked(text)


def test_names_of_properties() -> None:
    assert is_secret("javax.jdo.option.ConnectionPassword")
    assert is_secret("fs.s3a.secret.key")
    assert not is_secret("s3.persistence.bucket")


@given(st.text())
def test_a_masked_sentence_stays_so(text: str) -> None:
    assert masked_sentence(masked_sentence(text)) == masked_sentence(text)
