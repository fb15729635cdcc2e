"""The TCP sockets that listen on this host, as /proc/net tells of them."""

import ipaddress
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENING = "0A"
_ADDRESS, _STATE, _INODE = 1, 3, 9  # columns of a line
_WORD = 8  # hexadecimal digits of 32 bits, which are written in the machine's own order


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket."""

    address: str
    port: int
    inode: int

    @property
    def takes_any(self) -> bool:
        """Tell whether it is bound to all addresses of its family."""
        return ipaddress.ip_address(self.address).is_unspecified


def listeners() -> list[Listener]:
    """Return every TCP socket that listens in our network namespace."""
    return [found for table in _TABLES if table.exists() for found in parse(table.read_text())]


def parse(table: str) -> Iterator[Listener]:
    """Read /proc/net/tcp or tcp6."""
    for line in table.splitlines()[1:]:
        columns = line.split()
        if len(columns) > _INODE and columns[_STATE] == _LISTENING:
            address, _, port = columns[_ADDRESS].partition(":")
            yield Listener(_address(address), int(port, 16), int(columns[_INODE]))


def _address(digits: str) -> str:
    words = [digits[at : at + _WORD] for at in range(0, len(digits), _WORD)]
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
