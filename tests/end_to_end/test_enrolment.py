"""A host comes in by a token, as two people at two terminals do it; and others do not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.command import Script, Service
from lab.fleet import Fleet
from tests.waiting import eventually

REFUSED, UNDECIDED = 6, 7


class Newcomer:
    """A host that is no member yet, under a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        config = str(folder / "etc/worker.yaml")
        self.script = Script("denrei-worker", {"DENREI_WORKER_CONFIG": config}, folder.parent)
        self.where = ("--state", str(folder / "state"), "--root", str(folder / "root"))

    def start(self, log: Path, token: str, *more: str) -> Service:
        return self.script.start(log, "enrol", token, *self.where, *more)


@pytest.fixture
def new1(fleet: Fleet, tmp_path: Path) -> Iterator[Newcomer]:
    """A host for a while; the fleet is left as it was."""
    folder = tmp_path / "new1"
    folder.mkdir()
    yield Newcomer(folder)
    fleet.denrei.run("host", "revoke", "new1")


def test_host_comes_in_takes_an_order_and_is_thrown_out(
    fleet: Fleet, new1: Newcomer, tmp_path: Path
) -> None:
    """Two commands, then it works; what `host revoke` ends is believed and sent no more."""
    token = fleet.denrei.must("host", "enrol", "new1", "-l", "env=test").out.strip()
    said = new1.script.run("enrol", token, *new1.where)
    assert (said.code, said.out) == (0, "new1 is a member: epoch 1, keyring 1\n")
    assert "orders by demo" in said.err
    again = new1.script.run("enrol", token, *new1.where)
    assert (again.code, again.out) == (0, "new1 is a member already, epoch 1\n")
    worker = new1.script.start(tmp_path / "worker.log", "run")
    try:
        fleet.denrei.must("host", "ping", "new1", "--timeout", "30s")
        listed = json.loads(fleet.denrei.must("host", "show", "new1", "-o", "json").out)
        assert listed["host"]["labels"] == {"env": "test"}
        fleet.denrei.must("host", "revoke", "new1")
        assert fleet.denrei.run("host", "ping", "new1").code == 9
    finally:
        worker.stop()
    late = Newcomer(tmp_path / "late")
    said = late.script.run("enrol", "-", *late.where, given=token)
    assert said.code == REFUSED
    assert not (late.folder / "state/admission.json").exists()


def test_held_host_shows_the_key_that_the_operator_compares(
    fleet: Fleet, new1: Newcomer, tmp_path: Path
) -> None:
    token = fleet.denrei.must("host", "enrol", "new1", "--hold").out.strip()
    (tmp_path / "token").write_text(token)
    log = tmp_path / "enrol.log"
    enrolling = new1.start(log, f"@{tmp_path / 'token'}")
    try:
        eventually(lambda: "denrei host accept new1" in log.read_text(), within=30)
        shown = log.read_text().splitlines()[1].strip()
        assert fleet.denrei.run("host", "accept", "new1", "--key", "0" * 32).code == 2
        fleet.denrei.must("host", "accept", "new1", "--key", shown)
        assert enrolling.process.wait(30) == 0
    finally:
        enrolling.stop()
    assert "new1 is a member" in log.read_text()


def test_held_host_that_is_rejected_exits_6(fleet: Fleet, new1: Newcomer, tmp_path: Path) -> None:
    token = fleet.denrei.must("host", "enrol", "new1", "--hold").out.strip()
    log = tmp_path / "enrol.log"
    enrolling = new1.start(log, token)
    try:
        eventually(lambda: "held" in log.read_text(), within=30)
        fleet.denrei.must("host", "reject", "new1")
        assert enrolling.process.wait(30) == REFUSED
    finally:
        enrolling.stop()
    assert "an operator rejected it" in log.read_text()


def test_held_host_that_nobody_decides_on_exits_7(fleet: Fleet, new1: Newcomer) -> None:
    token = fleet.denrei.must("host", "enrol", "new1", "--hold").out.strip()
    said = new1.script.run("enrol", token, *new1.where, "--timeout", "1s")
    assert said.code == UNDECIDED
    assert "denrei host accept" in said.err


@pytest.mark.parametrize("token", ["", "x", "denrei1.", "denrei1.e30", "denrei1.####"])
def test_token_that_is_none_is_told_in_a_line_and_makes_nothing(new1: Newcomer, token: str) -> None:
    said = new1.script.run("enrol", "-", *new1.where, given=f"{token}\n")
    assert said.code == 1
    assert len(said.err.splitlines()) == 1
    assert "Traceback" not in said.err
    assert list(new1.folder.iterdir()) == []


def test_token_for_another_host_is_refused_where_there_is_one(fleet: Fleet, new1: Newcomer) -> None:
    token = fleet.denrei.must("host", "enrol", "new1").out.strip()
    new1.script.must("enrol", token, *new1.where)
    other = fleet.denrei.must("host", "enrol", "new9").out.strip()
    said = new1.script.run("enrol", other)
    assert said.code == 2
    assert "the token is for 'new9', and this host is 'new1'" in said.err
