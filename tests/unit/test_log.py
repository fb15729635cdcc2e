"""What log lines look like."""

import io
import json
import logging
import re

import pytest
import structlog

from contract import log
from contract.acting import spelt_out
from tests.unit.orchestrator.cli.test_report_attacks import PAYLOADS

_COLOUR = re.compile(r"\x1b\[[0-9]{1,2}m")  # structlog's own


class Terminal(io.StringIO):
    """A stream that says a person looks on."""

    def isatty(self) -> bool:
        return True


def test_log_without_a_terminal_is_json_with_what_is_bound() -> None:
    stream = io.StringIO()
    log.configure(stream)
    with structlog.contextvars.bound_contextvars(run="R1", host="web1"):
        structlog.get_logger("one").info("began", step="a step")
        logging.getLogger("two").warning("careful: %s", "x")
    ours, foreign = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (ours["event"], ours["run"], ours["host"], ours["step"]) == (
        "began",
        "R1",
        "web1",
        "a step",
    )
    assert (foreign["event"], foreign["run"], foreign["level"]) == ("careful: x", "R1", "warning")


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_log_control_characters_forge_no_line_and_no_colour(stream: io.StringIO) -> None:
    log.configure(stream)
    structlog.get_logger("forger").info("said", words="one\ntwo\x1b[2J\u202ethree")
    logging.getLogger("forger").info("more\r\nlines")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert "\x1b[2J" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()


@pytest.mark.parametrize("words", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_log_of_a_host_s_words_is_one_harmless_line_for_a_terminal_and_for_a_file(
    words: str,
) -> None:
    """What harms nobody in a table harms nobody in a log, not in a list either."""
    for stream in (Terminal(), io.StringIO()):
        log.configure(stream)
        structlog.get_logger("host").info("said", words=words, more=[words, {"a": words}])
        logging.getLogger("library").info("said %s", words)
        logged = stream.getvalue()
        assert logged.count("\n") == 2
        for line in logged.splitlines():
            assert spelt_out(_COLOUR.sub("", line)) == _COLOUR.sub("", line)


def test_log_exception_tells_no_local_variables() -> None:
    stream = Terminal()
    log.configure(stream)

    def fail(password: str) -> None:
        raise ValueError

    try:
        fail("hunter22")
    except ValueError:
        structlog.get_logger("failing").exception("failed")
    assert "ValueError" in stream.getvalue()
    assert "hunter22" not in stream.getvalue().replace('fail("hunter22")', "")


def test_log_under_a_veil_masks_events_values_and_tracebacks() -> None:
    """What is logged meanwhile goes through the veil, and nothing that is logged later."""
    stream = io.StringIO()
    log.configure(stream)
    with log.veiled(lambda line: {n: str(v).replace("geheim", "#") for n, v in line.items()}):
        try:
            int("a geheim value")
        except ValueError:
            structlog.get_logger("ours").exception("broke", word="geheim")
    assert "geheim" not in stream.getvalue()
    assert "a # value" in stream.getvalue()
    structlog.get_logger("ours").info("said", word="geheim")
    assert "geheim" in stream.getvalue()
