"""Who is behind a socket."""

import os
import socket
from pathlib import Path

import pytest

from tests.unit.worker.observations.servers import serving
from tests.unit.worker.scan.posing import posing_as
from worker.root import Root
from worker.scan.listener import listeners
from worker.scan.owner import find_owners, unit_of


@pytest.mark.parametrize(
    ("control_groups", "unit"),
    [
        ("0::/system.slice/nginx.service\n", "nginx.service"),
        ("0::/system.slice/system-pg.slice/pg@15-main.service\n", "pg@15-main.service"),
        ("12:pids:/x.service\n1:name=systemd:/system.slice/a.service\n0::/\n", "a.service"),
        ("0::/system.slice/dovecot.service/worker\n", "dovecot.service"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n", ""),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", ""),
        ("0::/docker/0123abcd\n", ""),
        ("0::/\n", ""),
        ("", ""),
    ],
)
def test_unit_is_the_systems_own(control_groups: str, unit: str) -> None:
    """Neither a user's unit nor a session or a container is one to ask systemd for."""
    assert unit_of(control_groups) == unit


def test_socket_is_that_of_the_process_that_holds_it(tmp_path: Path) -> None:
    with serving(lambda _connection: None, begin=posing_as("websrv", tmp_path)) as port:
        owners = find_owners(Root())
        [inode] = [each.inode for each in listeners() if each.port == port]
        assert owners.by_inode[inode].program == "websrv"
        assert owners.by_inode[inode].directory == str(tmp_path)
        assert owners.by_inode[inode] in owners.running


def test_our_own_sockets_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as own:
        owners = find_owners(Root())
        inode = os.fstat(own.fileno()).st_ino
        assert inode in owners.our_own
        assert inode not in owners.by_inode


def test_host_of_a_lab_has_only_the_processes_that_run_in_it(tmp_path: Path) -> None:
    """They are known by their directory, their root, their program or their arguments."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    with (
        serving(lambda _connection: None, begin=posing_as("in", inside)),
        serving(lambda _connection: None, begin=posing_as("out", outside)),
    ):
        assert [owner.program for owner in find_owners(Root(inside)).running] == ["in"]
