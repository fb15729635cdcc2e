"""Frames of AMQP that may hold anything: how much is read of them, and what is read at all.

py-amqp gathers a message of any size in memory, and reads tables nested as deep as their sender
likes. Here of a message's properties only its type is looked at, and too large a message arrives
without content: it is then no message of ours, and is dropped like any other.
"""

import ssl
import struct
from collections.abc import Callable
from typing import Any

from amqp.method_framing import frame_handler
from amqp.transport import SSLTransport, TCPTransport

from contract.essence import MAX_FETCHED

PATIENCE_S = 8.0  # for an answer, or until what is written is taken

Frame = tuple[int, int, bytes]

_HEADER, _BODY = 2, 3  # types of frames
_START = struct.Struct(">HxxQ")  # of a header: the class, and the size of the content
_FLAGS = struct.Struct(">H")  # which properties follow
_BEFORE_TYPE = "ssFoossssL"  # the kinds of the properties that may stand before the type
_TYPE = 1 << 15 - len(_BEFORE_TYPE)
_LENGTHS = {"o": 1, "L": 8}
_Tcp: Any = TCPTransport  # the stubs lack what is overridden here
_Tls: Any = SSLTransport


def bounded_handler(connection: Any, callback: Callable[..., Any]) -> Callable[[Frame], Any]:
    """Return what takes in a connection's frames; py-amqp's own does the work."""
    take: Callable[[Frame], Any] = frame_handler(connection, callback)
    unread: dict[int, int] = {}  # bytes still to come of what is too large, by channel

    def on_frame(frame: Frame) -> Any:
        kind, channel, content = frame
        if kind == _BODY and unread.get(channel, 0) > 0:
            unread[channel] -= len(content)
            return False
        if kind != _HEADER:
            return take(frame)
        class_id, size = _START.unpack_from(content)
        if size <= MAX_FETCHED:
            return take((kind, channel, _header(class_id, size, _type_in(content))))
        unread[channel] = size
        return take((kind, channel, _header(class_id, 0, b"")))

    return on_frame


def _header(class_id: int, size: int, type_: bytes) -> bytes:
    """Return a header that holds a type, and no other property."""
    start = _START.pack(class_id, size)
    if not type_:
        return start + _FLAGS.pack(0)
    return start + _FLAGS.pack(_TYPE) + bytes((len(type_),)) + type_


def _type_in(content: bytes) -> bytes:
    """Return the message's type as its header has it, or nothing."""
    try:
        (flags,) = _FLAGS.unpack_from(content, _START.size)
        offset = _START.size + _FLAGS.size
        for number, kind in enumerate(_BEFORE_TYPE):
            if flags & 1 << 15 - number:
                offset += _length(kind, content, offset)
        found = bytes(content[offset + 1 : offset + 1 + content[offset]]) if flags & _TYPE else b""
    except (struct.error, IndexError):
        return b""
    return found if found.isascii() else b""


def _length(kind: str, content: bytes, offset: int) -> int:
    """Return how many bytes a property has that is of a kind. Raises IndexError, struct.error."""
    if kind == "s":
        return 1 + content[offset]
    if kind == "F":
        (length,) = struct.unpack_from(">I", content, offset)
        return 4 + int(length)
    return _LENGTHS[kind]


def _check(length: int) -> None:
    """Raise OSError, which ends the connection, for a frame that is larger than any message."""
    if length > MAX_FETCHED:
        raise OSError(f"dropped a frame of {length} bytes unread")


class Plain(_Tcp):  # type: ignore[misc]  # see _Tcp
    """A connection whose frames have a limit, and whose broker must answer in time."""

    def _setup_transport(self) -> None:
        super()._setup_transport()
        self.sock.settimeout(PATIENCE_S)

    def _read(self, n: int, *arguments: Any, **options: Any) -> bytes:
        _check(n)
        return bytes(super()._read(n, *arguments, **options))


class Secured(_Tls):  # type: ignore[misc]  # see _Tls
    """The same over TLS: the broker must prove its name, whatever a URL says."""

    def _setup_transport(self) -> None:
        super()._setup_transport()
        self.sock.settimeout(PATIENCE_S)

    def _wrap_socket(self, sock: Any, context: Any = None, **words: Any) -> Any:
        made = context or ssl.create_default_context(cafile=words.get("ssl_ca_certs"))
        if "ssl_certfile" in words:
            made.load_cert_chain(words["ssl_certfile"], words["ssl_keyfile"])
        name = words["server_hostname"]
        return made.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)

    def _shutdown_transport(self) -> None:
        """Say no farewell: nobody may be there to answer."""

    def _read(self, n: int, *arguments: Any, **options: Any) -> bytes:
        _check(n)
        return bytes(super()._read(n, *arguments, **options))
