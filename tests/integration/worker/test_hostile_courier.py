"""A courier in other hands, as a user of its own: it may carry nothing, and harms nobody."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.order import letter_digest
from contract.report import Report
from tests.integration.worker.two_users import apart, by_root
from tests.swapper import as_nobody, become_nobody
from tests.unit.worker.steps import CHECK
from tests.worker_host import WorkerHost, work
from worker import intake, mailbox
from worker.executor import Executor
from worker.mailbox import BELL, MAX_LETTER, Care, MailboxError

pytestmark = by_root


@pytest.fixture
def host(tmp_path: Path) -> WorkerHost:
    """A host whose courier is nobody, and whose executor is root."""
    return apart(WorkerHost(tmp_path), tmp_path)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of root's that the courier would like to read, or to see written."""
    path = tmp_path / "secret"
    path.write_text("root's alone")
    path.chmod(0o600)
    return path


def _link(path: Path, secret: Path) -> None:
    path.symlink_to(secret)


def _directory(path: Path, _secret: Path) -> None:
    (path / "full").mkdir(parents=True)


def _fifo(path: Path, _secret: Path) -> None:
    os.mkfifo(path)


def _plain(path: Path, _secret: Path) -> None:
    path.touch()


def _hard_link(path: Path, secret: Path) -> None:
    with pytest.raises(PermissionError):  # fs.protected_hardlinks, which systemd turns on
        path.hardlink_to(secret)


TRAPS = [_link, _directory, _fifo, _plain, _hard_link]


@pytest.mark.parametrize("trap", TRAPS)
def test_trap_at_a_bell_neither_bars_the_executor_nor_is_written_to(
    host: WorkerHost, secret: Path, trap: Callable[[Path, Path], None]
) -> None:
    """One byte of a ring, written through a link, would spoil any file of root's."""

    def lay() -> None:
        for box in (host.config.inbox, host.config.outbox):
            trap(box / BELL, secret)
        host.inbox.put(letter)

    letter = host.order(CHECK)
    as_nobody(lay)
    work(Executor(host.config))
    assert [each.order_sha256 for each in host.heard(Report)] == [letter_digest(letter)]
    assert secret.read_text() == "root's alone"


@pytest.mark.parametrize("trap", TRAPS)
def test_trap_at_a_draft_is_not_written_through(
    host: WorkerHost, secret: Path, trap: Callable[[Path, Path], None]
) -> None:
    """Even if the courier knew a report's digest before it is written."""
    digest = letter_digest(b"report")
    draft = host.config.outbox / f".{digest}.keep.{os.getpid()}"
    as_nobody(lambda: trap(draft, secret))
    try:
        host.outbox.put(b"report", Care.KEEP)
    except MailboxError:
        assert trap is _directory  # told, and tried again later
    assert secret.read_text() == "root's alone"
    assert stat_of(secret) == (0, 0, 0o600)


def stat_of(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid, found.st_mode & 0o7777


@pytest.mark.parametrize("trap", TRAPS)
def test_trap_among_the_letters_is_no_letter(
    host: WorkerHost, secret: Path, trap: Callable[[Path, Path], None]
) -> None:
    letter = host.order(CHECK)

    def lay() -> None:
        trap(host.config.inbox / f"{'0' * 64}.once", secret)
        (host.config.inbox / "half.once").write_bytes(letter[: len(letter) // 2])
        (host.config.inbox / "empty.once").touch()
        with (host.config.inbox / "huge.once").open("wb") as file:
            file.truncate(MAX_LETTER * 1000)
        host.inbox.put(letter)

    as_nobody(lay)
    work(Executor(host.config))
    assert [each.order_sha256 for each in host.heard(Report)] == [letter_digest(letter)]
    said = [str(message) for message in host.said()]
    assert not any("root's alone" in each for each in said)
    assert secret.read_text() == "root's alone"


def test_flood_of_letters_is_taken_a_boxful_at_a_time(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit into the outbox, either, is not lost: the ledger has it."""
    for module in (mailbox, intake):
        monkeypatch.setattr(module, "MAX_LETTERS", 20)

    def flood() -> None:
        for number in range(50):
            (host.config.inbox / f"{number}.once").touch()

    letter, executor = host.order(CHECK), Executor(host.config)
    as_nobody(flood)
    assert len(host.inbox.letters()) == 20
    for _ in range(3):
        work(executor)
    assert host.inbox.letters() == []
    as_nobody(lambda: host.inbox.put(letter))
    work(executor)

    def carry() -> None:
        for path in host.outbox.letters():
            path.unlink()

    as_nobody(carry)
    work(executor)
    assert [each.order_sha256 for each in host.heard(Report)] == [letter_digest(letter)]


def test_report_whose_place_is_barred_is_put_out_when_it_is_free(host: WorkerHost) -> None:
    letter = host.order(CHECK)
    as_nobody(lambda: host.inbox.put(letter))
    executor = Executor(host.config)
    host.config.outbox.chmod(0o2750)
    work(executor)
    (digest,) = [path.stem for path in host.outbox.letters() if path.suffix == ".keep"]

    def bar() -> None:
        (host.config.outbox / f"{digest}.keep").mkdir()

    (host.config.outbox / f"{digest}.keep").unlink()
    host.config.outbox.chmod(0o2770)
    as_nobody(bar)
    work(executor)
    assert host.heard(Report) == []
    as_nobody((host.config.outbox / f"{digest}.keep").rmdir)
    work(executor)
    assert [each.order_sha256 for each in host.heard(Report)] == [letter_digest(letter)]


def test_courier_that_changes_letters_while_they_are_taken_costs_no_descriptor(
    host: WorkerHost, secret: Path
) -> None:
    """A letter becomes a link, a pipe, a directory, and a letter again, as fast as he can."""
    place = host.config.inbox / f"{'1' * 64}.once"
    executor = Executor(host.config)
    before = len(list(Path("/proc/self/fd").iterdir()))
    pid = os.fork()
    if pid == 0:
        _flicker(place, secret)
    try:
        for _ in range(300):
            executor._take()
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    assert secret.read_text() == "root's alone"


def _flicker(place: Path, secret: Path) -> None:
    become_nobody()
    link = Path.symlink_to
    shapes: list[Callable[[Path], None]] = [
        *(Path.touch, os.mkfifo, Path.mkdir),
        lambda path: link(path, secret),
    ]
    while True:
        for shape in shapes:
            try:
                shape(place)
                place.rmdir() if place.is_dir() else place.unlink(missing_ok=True)
            except OSError:
                continue
