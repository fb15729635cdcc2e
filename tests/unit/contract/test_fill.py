"""Arguments filled in: optional ones that come to nothing are as if they were not there."""

import msgspec
import pytest

from contract.action import Command, FileWrite
from contract.arguments import fill
from contract.probe import Tls

EMPTY = {"params.x": ""}


def test_optional_argument_that_is_an_empty_reference_is_left_out() -> None:
    arguments = {"host": "h", "server_name": "${params.x}", "starttls": "${params.x}"}
    assert fill(Tls, arguments, EMPTY) == Tls(host="h")
    assert fill(Command, {"argv": ["/x"], "stdin": "${params.x}"}, EMPTY).stdin is None


def test_text_that_is_empty_for_another_reason_stays() -> None:
    given = fill(Tls, {"host": "h", "server_name": "", "timeout": "${params.x}${params.x}"}, EMPTY)
    assert (given.server_name, given.timeout) == ("", "")


def test_required_argument_may_be_empty_but_not_away() -> None:
    assert fill(FileWrite, {"path": "/x", "content": "${params.x}"}, EMPTY).content == ""
    with pytest.raises(msgspec.ValidationError, match="path"):
        fill(FileWrite, {"path": "${params.x}", "content": ""}, EMPTY)


def test_numbers_and_switches_come_from_texts() -> None:
    arguments = {"host": "h", "port": "${params.port}"}
    assert fill(Tls, arguments, {"params.port": 25}).port == 25
