"""Listening sockets, as the kernel writes them down."""

import ipaddress
import os
import socket
import sys

from hypothesis import given
from hypothesis import strategies as st

from worker.scan.listener import Listener, listeners, parse

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"


def line(address: str, port: int, inode: int, state: str = "0A") -> str:
    """A line as the kernel writes it: 32-bit words in the machine's own order."""
    packed = ipaddress.ip_address(address).packed
    words = [int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4)]
    digits = "".join(f"{word:08X}" for word in words)
    rest = f"00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1"
    return f"   0: {digits}:{port:04X} {rest} 0000000000000000 100 0 0 10 0\n"


@given(st.ip_addresses(), st.integers(1, 65535), st.integers(1, 2**32))
def test_listener_is_read_as_the_kernel_wrote_it(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, inode: int
) -> None:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    [found] = parse(HEADER + line(str(address), port, inode))
    assert found == Listener(str(mapped or address), port, inode)


def test_connection_is_no_listener() -> None:
    assert list(parse(HEADER + line("127.0.0.1", 80, 5, state="01"))) == []


def test_sockets_of_both_families_are_found_with_their_inodes() -> None:
    """Found in this machine's own tables, by the inode that the kernel tells of the socket."""
    with (
        socket.create_server(("127.0.0.1", 0)) as four,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as six,
    ):
        found = listeners()
        for each, address in ((four, "127.0.0.1"), (six, "::1")):
            inode = os.fstat(each.fileno()).st_ino
            assert Listener(address, each.getsockname()[1], inode) in found
