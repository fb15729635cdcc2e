"""The verifier: what a process beside it says is what would be found here, whatever befalls it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from contract.envelope import PayloadType
from contract.key import SigningKey
from contract.order import sign_message
from contract.report import Pong
from orchestrator.claim import Claim, look_into
from orchestrator.store.owner import Owner
from orchestrator.verifier import Verifier
from tests.waiting import eventually

KEYS = [SigningKey.generate() for _ in range(3)]


def claim(number: int = 0) -> Claim:
    key = KEYS[number % len(KEYS)]
    pong = Pong(host="web1", epoch=1, keyring=1, nonce="0" * 32, at=number, waiting=0, worker="1")
    letter = sign_message(PayloadType.PONG, pong, key)
    return Claim(letter, (Owner(key.public.id, "web1", 1, key.public.text),))


def altered(sound: Claim) -> Claim:
    other = claim(100).letter
    payload = other[: other.index(b'"payloadType"')]
    return replace(sound, letter=payload + sound.letter[sound.letter.index(b'"payloadType"') :])


def strange(sound: Claim) -> Claim:
    return replace(sound, owners=())


MIXED = [claim(1), altered(claim(2)), claim(3), strange(claim(4)), claim(5)]


def at_work(verifier: Verifier) -> int:
    """Have it look into something until another process does; return that process."""

    def pid() -> int | None:
        assert verifier.begin(MIXED)() == look_into(MIXED)
        return verifier.pid

    return eventually(pid, what="a process beside") or 0


@pytest.fixture
def verifier() -> Iterator[Verifier]:
    with Verifier() as verifier:
        yield verifier


def test_process_beside_finds_each_letter_that_must_not_be_believed(verifier: Verifier) -> None:
    assert at_work(verifier) != os.getpid()
    found = verifier.begin(MIXED)()
    assert [bool(each.complaint) for each in found] == [False, True, False, True, False]
    assert found == look_into(MIXED)


def test_question_that_nobody_asked_for_answers_no_other(verifier: Verifier) -> None:
    """Were answers mixed up, a forged letter would be taken for a good one."""
    at_work(verifier)
    first = verifier.begin([claim(1), claim(2)])
    second = verifier.begin([altered(claim(1)), claim(2)])
    assert [each.complaint for each in first()] == ["", ""]
    assert second() == look_into([altered(claim(1)), claim(2)])
    assert second() == look_into([altered(claim(1)), claim(2)])


def test_verifier_killed_before_its_answer_leaves_the_work_to_its_parent(
    verifier: Verifier,
) -> None:
    at_work(verifier)
    answers = verifier.begin(MIXED)
    os.kill(verifier.pid or 0, signal.SIGKILL)
    assert answers() == look_into(MIXED)
    assert verifier.begin(MIXED)() == look_into(MIXED)


def test_verifier_killed_between_two_questions_leaves_the_work_to_its_parent(
    verifier: Verifier,
) -> None:
    process = psutil.Process(at_work(verifier))
    process.kill()
    eventually(lambda: process.status() == psutil.STATUS_ZOMBIE, what="its end")
    assert verifier.begin(MIXED)() == look_into(MIXED)
    assert not process.is_running()


def test_verifier_that_is_silent_is_done_without() -> None:
    with Verifier(patience_s=0.2) as verifier:
        process = psutil.Process(at_work(verifier))
        process.suspend()
        assert verifier.begin(MIXED)() == look_into(MIXED)
        assert not process.is_running()


def test_process_beside_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom tests.integration.orchestrator.test_verifier import *\n"
        "verifier = Verifier()\nprint(at_work(verifier), flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    eventually(lambda: not psutil.pid_exists(pid), what="the end of the process beside")


def test_module_in_the_current_directory_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "orchestrator").mkdir()
    (tmp_path / "orchestrator" / "verifying.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    with Verifier() as verifier:
        assert at_work(verifier)
