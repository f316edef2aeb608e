from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.cell import Heard, execute, message, product

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "header": JSON
        | st.fixed_dictionaries({"msg_type": JSON | st.sampled_from(["status", "stream", "error", "x_reply"])}),
        "parent_header": JSON | st.just({"msg_id": "mine"}),
        "content": JSON | st.fixed_dictionaries({"execution_state": JSON, "status": JSON, "text": JSON}),
    },
)


def said(type_: str, parent: str = "mine", **content: Any) -> str:
    return json.dumps({"header": {"msg_type": type_}, "parent_header": {"msg_id": parent}, "content": content})


@given(st.text() | JSON.map(json.dumps) | SHAPED.map(json.dumps))
def test_no_message_is_too_strange(text: str) -> None:
    heard = Heard("mine")
    heard.hear(text)

    assert isinstance(heard.done, bool)
    assert len(heard.output) <= 4000


def test_a_cell_is_done_once_it_was_replied_to_and_the_kernel_is_idle() -> None:
    for first, second in ((0, 1), (1, 0)):
        heard = Heard("mine")
        both = [said("execute_reply", status="ok"), said("status", execution_state="idle")]
        heard.hear(both[first])
        assert not heard.done
        heard.hear(both[second])
        assert heard.done
        assert heard.replied == "ok"


def test_what_is_about_another_cell_is_not_heard() -> None:
    heard = Heard("mine")
    heard.hear(said("stream", "theirs", text="42"))
    heard.hear(said("execute_reply", "theirs", status="ok"))
    heard.hear(said("status", "theirs", execution_state="idle"))
    heard.hear(said("stream", text="4"))
    heard.hear(said("stream", text="3\n"))

    assert heard.output == "43\n"
    assert not heard.done


@pytest.mark.parametrize("state", ["dead", "restarting"])
def test_a_kernel_that_died_is_done_whoever_asked(state: str) -> None:
    heard = Heard("mine")
    heard.hear(said("status", "", execution_state=state))

    assert heard.done
    assert heard.died


def test_an_error_is_kept_in_its_words() -> None:
    heard = Heard("mine")
    heard.hear(said("error", ename="ZeroDivisionError", evalue="division by zero"))

    assert heard.errors == ["ZeroDivisionError: division by zero"]


SPARK = {"argv": ["python", "-m", "sparkmagic.kernels.pysparkkernel.pysparkkernel"], "language": "python"}
CELLS = [
    ({"language": "python"}, "print(6 * 7)"),
    ({"language": "Python", "argv": ["python"]}, "print(6 * 7)"),
    ({"language": "R"}, "cat(6 * 7)"),
    ({"language": "scala"}, "print(6L * 7L)"),
    (SPARK, "%%local\nprint(6 * 7)"),
    (SPARK | {"language": "scala"}, "%%local\nprint(6 * 7)"),
    ({"language": "cobol"}, None),
    ({"language": None, "argv": 3}, None),
    ({}, None),
]


@pytest.mark.parametrize(("spec", "cell"), CELLS)
def test_the_cell_of_a_language(spec: dict[str, Any], cell: str | None) -> None:
    assert product(spec, 6, 7) == cell


def test_pythons_cell_is_python() -> None:
    cell = product({"language": "python"}, 12345, 67890)
    assert cell is not None
    assert (
        subprocess.run([sys.executable, "-c", cell], capture_output=True, text=True, check=True).stdout == "838102050\n"
    )


def test_each_message_has_an_id_of_its_own() -> None:
    (one, text), (two, _) = execute("1", "s"), message("kernel_info_request", {}, "s")

    assert one != two
    told = json.loads(text)
    assert told["header"]["msg_id"] == one
    assert told["content"]["allow_stdin"] is False
    assert told["channel"] == "shell"
