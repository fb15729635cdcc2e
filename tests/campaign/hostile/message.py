"""What hostile hands put on the wire: bytes that are no message, messages that are more than one.

Each is pushed raw into a queue, for the courier as for the recorder. None of them may have any
effect but that it is dropped, or refused under the host's signature.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from contract.names import DELIVER_TASK, PING_TASK, RECORD_TASK

OTHERS_QUEUE = "host.nobody"  # whatever turns up here was published with the victim's rights
_MEGABYTE = 1024 * 1024
_DEEP = "[" * 100_000 + "]" * 100_000
_NO_CALLS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def message(arguments: Any, task: Any = DELIVER_TASK, **headers: Any) -> dict[str, Any]:
    """Return a message as Celery's protocol has it."""
    return {
        "body": _base64(json.dumps([arguments, {}, _NO_CALLS])),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"lang": "py", "task": task, "id": "an-id", **headers},
        "properties": {
            "delivery_tag": "a-tag",
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": "x"},
        },
    }


def raw(content: Any) -> bytes:
    """Return the bytes of a list's element."""
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def _base64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def _with(**members: Any) -> dict[str, Any]:
    return message(["x"]) | members


def _properties(**members: Any) -> dict[str, Any]:
    whole = message(["x"])
    return whole | {"properties": whole["properties"] | members}


def _body(tree: Any) -> dict[str, Any]:
    return _with(body=_base64(json.dumps(tree)))


def _embedding(**embed: Any) -> dict[str, Any]:
    return _body([["x"], {}, _NO_CALLS | embed])


def _without(*members: str) -> dict[str, Any]:
    return {name: value for name, value in message(["x"]).items() if name not in members}


def _bomb() -> dict[str, Any]:
    """300 MB of spaces, packed to a few hundred kilobytes."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * _MEGABYTE) for _ in range(300)) + packer.flush()
    whole = message(["x"], compression="application/x-gzip")
    return whole | {"body": _base64(packed)}


_CALL = {"task": DELIVER_TASK, "args": ["forged"], "options": {"queue": OTHERS_QUEUE}, "kwargs": {}}

NO_MESSAGE: Mapping[str, Any] = {
    "empty": b"",
    "text": "no JSON",
    "bytes_that_are_no_text": b"\xff\xfe\x00\x80",
    "nul_bytes": b"\0" * 1000,
    "utf_16": json.dumps(message(["x"])).encode("utf-16"),
    "utf_32": json.dumps(message(["x"])).encode("utf-32"),
    "byte_order_mark": b"\xef\xbb\xbf" + raw(message(["x"])),
    "half_a_message": raw(message(["x"]))[:200],
    "message_and_more": raw(message(["x"])) + b"{}",
    "null": "null",
    "true": "true",
    "integer": "7",
    "huge_integer": "9" * 100_000,
    "not_a_number": "NaN",
    "infinity": '{"body": Infinity}',
    "lone_surrogate": '"\\ud800"',
    "string": '"text"',
    "list": "[1, 2]",
    "empty_object": "{}",
    "deeply_nested_list": _DEEP,
    "deeply_nested_object": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "pickle": b"cos\nsystem\n(S'touch /tmp/denrei-was-here'\ntR.",
    "megabytes_of_zeros": b"\0" * (16 * _MEGABYTE),
    "hundred_megabytes_of_text": b'"' + b"x" * (100 * _MEGABYTE) + b'"',
    "megabytes_of_small_objects": b"[" + b"{}," * (1 * _MEGABYTE) + b"{}]",
}

MISSHAPEN: Mapping[str, Any] = {
    "no_body": _without("body"),
    "null_body": _with(body=None),
    "integer_body": _with(body=7),
    "list_body": _with(body=["x"]),
    "body_not_base64": _with(body="not base64!"),
    "body_not_ascii": _with(body="é" * 40),
    "body_bad_padding": _with(body="abc"),
    "body_of_bytes": _with(body=_base64(b"\xff\xfe")),
    "body_null": _body(None),
    "body_empty_list": _body([]),
    "body_object": _body({}),
    "body_deeply_nested": _with(body=_base64(_DEEP)),
    "body_huge_integer": _with(body=_base64("[[1" + "0" * 5000 + "]]")),
    "no_headers": _without("headers"),
    "null_headers": _with(headers=None),
    "list_headers": _with(headers=[DELIVER_TASK]),
    "no_task": _with(headers={"id": "x"}),
    "null_task": message(["x"], task=None),
    "list_task": message(["x"], task=[DELIVER_TASK]),
    "object_task": message(["x"], task={"a": 1}),
    "unknown_task": message(["x"], task="os.system"),
    "celerys_own_task": message(["x"], task="celery.backend_cleanup"),
    "task_with_escapes": message(["x"], task="\x1b[31m\nforged"),
    "no_arguments": message([]),
    "two_arguments": message(["a", "b"]),
    "null_arguments": message(None),
    "null_argument": message([None]),
    "integer_argument": message([7]),
    "object_argument": message([{"a": 1}]),
    "nested_argument": message([["a"]]),
    "surrogate_argument": message(["\ud800"]),
    "argument_of_a_megabyte": message(["x" * 1_200_000]),
    "body_of_ten_megabytes": message(["x" * 10 * _MEGABYTE]),
}

TOO_MUCH: Mapping[str, Any] = {
    "time_limits": message(["x"], timelimit=[0.001, 0.001]),
    "time_limits_of_another_type": message(["x"], timelimit="now"),
    "eta_far_away": message(["x"], eta="2999-01-01T00:00:00Z"),
    "eta_bad": message(["x"], eta="yesterday"),
    "expiry_long_ago": message(["x"], expires="1970-01-01T00:00:00Z"),
    "expiry_bad": message(["x"], expires={"a": 1}),
    "retries": message(["x"], retries=10**30),
    "priority": _properties(priority=9),
    "priority_bad": _properties(priority="high"),
    "reply_to": _properties(reply_to=OTHERS_QUEUE, correlation_id="x"),
    "no_properties": _without("properties"),
    "null_properties": _with(properties=None),
    "no_delivery_tag": _with(properties={"body_encoding": "base64"}),
    "delivery_tag_object": _properties(delivery_tag={"a": 1}),
    "another_routing_key": _properties(delivery_info={"exchange": "", "routing_key": OTHERS_QUEUE}),
    "delivery_info_null": _properties(delivery_info=None),
    "another_body_encoding": _properties(body_encoding="zlib"),
    "pickle_type": _with(**{"content-type": "application/x-python-serialize"}),
    "yaml_type": _with(**{"content-type": "application/x-yaml"}),
    "type_of_another_type": _with(**{"content-type": ["x"]}),
    "encoding_unknown": _with(**{"content-encoding": "rot13"}),
    "compressed_bomb": _bomb(),
    "compression_unknown": message(["x"], compression="nothing/known"),
    "callbacks": _embedding(callbacks=[_CALL]),
    "errbacks": _embedding(errbacks=[_CALL]),
    "chain": _embedding(chain=[_CALL]),
    "chord": _embedding(chord=_CALL),
    "group": message(["x"], group="g", group_index=1),
    "keyword_arguments": _body([["x"], {"__self__": 1, "letter": "y"}, _NO_CALLS]),
    "embedding_of_another_type": _body([["x"], {}, "text"]),
    "shadow_name": message(["x"], shadow="\x1b[2Jforged"),
    "id_with_line_breaks": message(["x"], id='x\n{"event": "forged"}\n\x1b[31m'),
    "id_of_another_type": message(["x"], id=[1]),
    "argument_with_line_breaks": message(['x\n{"event": "forged"}\n\x1b[31mred']),
    "argument_of_nul": message(["\0" * 1000]),
    "redelivered": _properties(redelivered=True) | {"headers": message(["x"])["headers"]},
    "argsrepr_of_megabytes": message(["x"], argsrepr="\n" * _MEGABYTE),
    "ignore_result_off": message(["x"], ignore_result=False, stamped_headers=["a"], stamps={}),
    "ping_with_line_breaks": message(["a\nb\x1b[31m"], task=PING_TASK),
    "ping_of_a_stranger": message(["f" * 32], task=PING_TASK),
    "anothers_task": message(["x"], task=RECORD_TASK),
    "duplicate_names": raw(message(["x"]))[:-1] + b', "body": null, "headers": null}',
    "duplicate_task": raw(message(["x"])).replace(b'"task":', b'"task": "os.system", "task":'),
}

HOSTILE: Mapping[str, Any] = {**NO_MESSAGE, **MISSHAPEN, **TOO_MUCH}


def junk(count: int) -> Iterable[bytes]:
    """Yield many small ones that are to be dropped, no two of one kind in a row."""
    dropped = {**NO_MESSAGE, **MISSHAPEN}.values()
    small = [raw(content) for content in dropped if len(raw(content)) < 2_000]
    return (small[number % len(small)] for number in range(count))
