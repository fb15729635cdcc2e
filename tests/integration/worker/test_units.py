"""The systemd units: they fit the host, systemd reads them, and says how exposed they are."""

import os
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.integration.tls.debian import program
from tests.swapper import NOBODY
from tests.worker_host import SCRIPT, WorkerHost
from worker.config import Config
from worker.exit_code import EXIT_ASLEEP, EXIT_CONFIG
from worker.handover import CourierUser, HandoverError, hand_over
from worker.installation import install
from worker.units import Network, UnitError, started_by_hand, units

HOST = Config(Path("/etc/denrei/worker.yaml"), "web1", Path("/var/lib/denrei"))
ANY = Path("/usr/bin/env")  # root's on every machine

# What systemd 252 says, 0 is best. All that the executor's unit forbids is forbidden to the steps,
# too, and to the services that they start: so it takes away little.
EXPOSURE = [
    ("denrei-courier.service", Network.ALL, 1.4),
    ("denrei-executor.service", Network.ALL, 9.2),
    ("denrei-executor.service", Network.LOCAL, 9.0),
    ("denrei-executor.service", Network.NONE, 8.5),
]


def write(directory: Path, network: Network = Network.ALL) -> dict[str, Path]:
    """Put the units into a directory, and return where each is."""
    for place, text in units(HOST, network, ANY).items():
        (directory / place.name).write_text(text)
    return {path.name: path for path in directory.iterdir()}


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Ask systemd-analyze, the machine's own or one unpacked from Debian's package."""
    found = program("systemd-analyze", "systemd")
    libraries = ":".join(map(str, found.libraries))
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries} if libraries else None
    argv = [str(found.path), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize(("unit", "network", "most"), EXPOSURE)
def test_unit_is_not_more_exposed_than_it_was(
    tmp_path: Path, unit: str, network: Network, most: float
) -> None:
    said = analyze("security", "--offline=true", "--no-pager", str(write(tmp_path, network)[unit]))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said.stdout)
    assert found, said.stderr
    assert float(found[1]) <= most


def test_units_are_such_as_systemd_reads_without_a_complaint(tmp_path: Path) -> None:
    made = write(tmp_path)
    said = analyze("verify", "--man=no", *(str(p) for n, p in made.items() if "service" in n))
    assert [line for line in said.stderr.splitlines() if "denrei" in line] == []


@pytest.mark.parametrize("network", list(Network))
def test_units_have_no_place_left_to_fill_in(network: Network) -> None:
    made = units(HOST, network, ANY)
    assert [path.name for path in made] == [
        *("denrei-courier.service", "denrei-executor.service", "denrei.conf")
    ]
    assert not any(re.search(r"@[a-z]+@", text) for text in made.values())


def test_units_of_a_host_whose_executor_sleeps_have_one_that_wakes_it(tmp_path: Path) -> None:
    sleepy = replace(HOST, sleep_after=timedelta(minutes=5))
    made = units(sleepy, Network.ALL, ANY)
    waker = made[Path("/etc/systemd/system/denrei-executor.path")]
    assert "PathExistsGlob=/var/lib/denrei/inbox/*.once\n" in waker
    assert started_by_hand(sleepy) == ("denrei-executor", "denrei-executor.path", "denrei-courier")
    for place, text in made.items():
        (tmp_path / place.name).write_text(text)
    said = analyze("verify", "--man=no", str(tmp_path / "denrei-executor.path"))
    assert [line for line in said.stderr.splitlines() if "denrei" in line] == []


def test_executor_that_sleeps_is_no_failure_for_systemd() -> None:
    text = units(HOST, Network.ALL, ANY)[Path("/etc/systemd/system/denrei-executor.service")]
    assert f"RestartPreventExitStatus={EXIT_CONFIG} {EXIT_ASLEEP}\n" in text
    assert f"SuccessExitStatus={EXIT_ASLEEP}\n" in text


def test_courier_may_write_to_its_three_directories_alone() -> None:
    text = units(HOST, Network.ALL, ANY)[Path("/etc/systemd/system/denrei-courier.service")]
    (line,) = [each for each in text.splitlines() if each.startswith("ReadWritePaths=")]
    assert line.split("=")[1].split() == [
        *("/var/lib/denrei/inbox", "/var/lib/denrei/outbox", "/var/lib/denrei/courier")
    ]
    assert "InaccessiblePaths=-/etc/denrei/keys\n" in text


@pytest.mark.parametrize("state", ["/var/lib/with space", "/var/%h", "/var/$HOME", '/var/"x"'])
def test_path_that_systemd_would_misread_is_refused(state: str) -> None:
    with pytest.raises(UnitError, match="can't stand in a unit"):
        units(Config(HOST.path, "web1", Path(state)), Network.ALL, ANY)


def test_program_where_the_courier_may_not_look_is_refused() -> None:
    with pytest.raises(UnitError, match="is below /home, where the courier may not look; use /opt"):
        units(HOST, Network.ALL, Path("/home/ann/venv/bin/denrei-worker"))


def test_program_that_somebody_else_may_change_is_refused(tmp_path: Path) -> None:
    """Else whoever can write there is root at the next boot."""
    (tmp_path / "denrei-worker").touch(mode=0o755)
    tmp_path.chmod(0o777)
    with pytest.raises(UnitError, match=r"root must not run .*can be written by others"):
        units(HOST, Network.ALL, tmp_path / "denrei-worker")


def test_install_by_anybody_but_root_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    with pytest.raises(UnitError, match="only root can install"):
        install(HOST, {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_hand_over_twice_is_as_once_and_leaves_letters_for_the_executor(tmp_path: Path) -> None:
    host = WorkerHost(tmp_path)
    host.inbox.put(b"order")
    host.outbox.put(b"report")
    (host.config.courier / "state.json").touch()
    for _ in range(2):
        hand_over(host.config, CourierUser(NOBODY, NOBODY))
    assert len(host.inbox.letters()) == 1
    assert list(host.config.outbox.iterdir()) == list(host.config.courier.iterdir()) == []
    shares = (host.config.inbox, host.config.outbox, host.config.courier, host.config.state)
    assert [_share(path) for path in shares] == [
        *((0, NOBODY, 0o2770), (0, NOBODY, 0o2770), (NOBODY, NOBODY, 0o700), (0, NOBODY, 0o710))
    ]


def _share(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid, found.st_mode & 0o7777


def test_hand_over_of_a_host_that_is_not_prepared_is_told(tmp_path: Path) -> None:
    config = Config(tmp_path / "etc/worker.yaml", "web1", tmp_path / "state")
    with pytest.raises(HandoverError, match=r"can't hand .* over: No such file"):
        hand_over(config, CourierUser(os.geteuid(), os.getegid()))


def test_units_are_printed_with_their_places(tmp_path: Path) -> None:
    host = WorkerHost(tmp_path)
    argv = [str(SCRIPT), "--config", str(host.config.path), "units", "--network", "none"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert said.startswith("# /etc/systemd/system/denrei-courier.service\n[Unit]\n")
    assert f"ExecStart={SCRIPT} --config {host.config.path} executor\n" in said
    assert "PrivateNetwork=yes\n" in said
