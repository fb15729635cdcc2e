"""The wire: of what a hostile broker hands over, a task's name and one text survive, or nothing."""

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.essence import MAX_MESSAGE
from contract.names import DELIVER_TASK
from contract.redis_transport import Transport, _essence, _Message, _message

QUEUE = "host.web1"


def body(tree: object) -> str:
    return base64.b64encode(json.dumps(tree).encode()).decode()


def message(tree: object = None, **members: object) -> dict[str, Any]:
    right = {"headers": {"task": DELIVER_TASK}, "body": body([["letter"], {}, {}])}
    return right | ({"body": body(tree)} if tree is not None else {}) | members


def drop(hostile: object) -> None:
    """Deliver what is no message: it must be dropped, and nothing be raised."""
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, _deliver must hold it
        _essence(msgspec.convert(hostile, _Message))
    Transport._deliver(Transport.__new__(Transport), hostile, QUEUE)


def test_message_is_built_anew_of_its_task_and_text_alone() -> None:
    """Time limits, callbacks, chains, compression, expiry and reply queues don't get through."""
    hostile = message(
        [
            ["letter"],
            {"kw": 1},
            {"callbacks": [{"task": "x"}], "chain": [{"task": "y"}], "chord": {"task": "z"}},
        ],
        headers={
            "task": DELIVER_TASK,
            "timelimit": [1, 1],
            "compression": "application/x-gzip",
            "id": "forged\nline",
            "eta": "2099-01-01",
            "expires": 1,
            "retries": 99,
            "group": "g",
        },
        properties={"reply_to": "host.web2", "priority": 9, "delivery_tag": "x"},
    )
    rebuilt = _message(*_essence(msgspec.convert(hostile, _Message)), QUEUE)
    assert json.loads(base64.b64decode(rebuilt["body"])) == [
        ["letter"],
        {},
        {"callbacks": None, "errbacks": None, "chain": None, "chord": None},
    ]
    harmless = {"lang", "task", "id", "root_id", "parent_id", "group", "argsrepr", "kwargsrepr"}
    assert set(rebuilt["headers"]) == harmless | {"ignore_result"}
    assert rebuilt["headers"]["group"] is None
    assert "forged" not in json.dumps(rebuilt)
    assert set(rebuilt["properties"]) == {
        *("delivery_mode", "delivery_info", "delivery_tag", "body_encoding", "priority")
    }


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        [],
        "text",
        7,
        {},
        {"headers": None, "body": ""},
        message(headers={}),
        message(headers={"task": "celery.backend_cleanup"}),
        message(headers={"task": [DELIVER_TASK]}),
        message(headers=[DELIVER_TASK]),
        message(body=None),
        message(body=7),
        message(body=""),
        message(body="é"),
        message(body="!!!!"),
        message(body=base64.b64encode(b"\xff").decode()),
        message(body=base64.b64encode(b"[" * 100_000).decode()),
        message(body=base64.b64encode(b"[[1" + b"0" * 5000 + b"]]").decode()),
        message(body="A" * (2 * MAX_MESSAGE + 4)),
        message([]),
        message({}),
        message([[]]),
        message([["a", "b"], {}, {}]),
        message([[7], {}, {}]),
        message([[None], {}, {}]),
        message([[["a"]], {}, {}]),
        message([["\ud800"], {}, {}]),
        message([["x" * (MAX_MESSAGE + 1)], {}, {}]),
    ],
    ids=range(28),
)
def test_message_of_a_hostile_broker_is_dropped_and_the_worker_lives(hostile: object) -> None:
    drop(hostile)


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just(DELIVER_TASK),
    lambda child: (
        st.lists(child, max_size=3)
        | st.dictionaries(
            st.sampled_from(["headers", "body", "task", "properties"]), child, max_size=3
        )
    ),
    max_leaves=8,
)


@given(trees, trees)
def test_message_of_any_shape_is_dropped_and_nothing_raised(tree: object, content: object) -> None:
    drop(tree)
    if not isinstance(content, list | str):
        drop(message(body=body(content)))
