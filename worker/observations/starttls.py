"""The dialogues by which a server that begins in plain text is asked for TLS."""

from collections.abc import Callable, Mapping

from contract.probe import StartTls
from worker.observations.connection import Connection, UnreachableError

_LONGEST = 16 * 1024  # of all that a server says before TLS
_SSL_REQUEST = (8).to_bytes(4) + (80877103).to_bytes(4)
_LDAP_REQUEST = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037"
_SEQUENCE, _INTEGER, _ENUMERATED, _EXTENDED_RESPONSE = b"\x30", b"\x02", b"\x0a", b"\x78"
_LONG_FORM, _LONGEST_LENGTH = 0x80, 4

_USUAL_PORTS: Mapping[int, StartTls] = {  # of protocols that begin in plain text
    25: "smtp",
    587: "smtp",
    143: "imap",
    389: "ldap",
    5432: "postgres",
}
POSTGRES_PROGRAMS = frozenset({"postgres", "postmaster"})


def usual_protocol(port: int, program: str) -> StartTls | None:
    """Return how TLS is asked for at a program's port: PostgreSQL speaks its own on any."""
    return "postgres" if program in POSTGRES_PROGRAMS else _USUAL_PORTS.get(port)


class _Dialogue:
    """Reads no further than it must: what follows belongs to TLS."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._left = _LONGEST

    def say(self, data: bytes) -> None:
        self._connection.send(data)

    def read(self, count: int) -> bytes:
        """Return exactly so many bytes."""
        self._left -= count
        if self._left < 0:
            raise self.no("says too much before TLS")
        data = b""
        while len(data) < count:
            if not (chunk := self._connection.receive(count - len(data))):
                raise self.no("hung up before TLS")
            data += chunk
        return data

    def line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            line += self.read(1)
        return line.decode(errors="backslashreplace").rstrip("\r\n")

    def no(self, why: str) -> UnreachableError:
        return UnreachableError(f"{self._connection.address}: {why}")


def ask_for_tls(protocol: str, connection: Connection) -> None:
    """Hold the dialogue of a protocol up to where TLS begins. Raises UnreachableError."""
    _DIALOGUES[protocol](_Dialogue(connection))


def _smtp(dialogue: _Dialogue) -> None:
    _smtp_reply(dialogue, "220")
    dialogue.say(b"EHLO [127.0.0.1]\r\n")
    offered = [line[4:].strip().upper() for line in _smtp_reply(dialogue, "250")]
    if "STARTTLS" not in offered:
        raise dialogue.no("offers no STARTTLS")
    dialogue.say(b"STARTTLS\r\n")
    _smtp_reply(dialogue, "220")


def _smtp_reply(dialogue: _Dialogue, wanted: str) -> list[str]:
    lines = [dialogue.line()]
    while lines[-1][3:4] == "-":
        lines.append(dialogue.line())
    if lines[-1][:3] != wanted:
        raise dialogue.no(f"answered {lines[-1][:80]!r}")
    return lines


def _imap(dialogue: _Dialogue) -> None:
    greeting = dialogue.line()
    if not greeting.upper().startswith("* OK"):
        raise dialogue.no(f"answered {greeting[:80]!r}")
    dialogue.say(b"a001 STARTTLS\r\n")
    while not (line := dialogue.line()).lower().startswith("a001 "):
        continue
    if not line[5:].upper().startswith("OK"):
        raise dialogue.no(f"answered {line[:80]!r}")


def _ldap(dialogue: _Dialogue) -> None:
    dialogue.say(_LDAP_REQUEST)
    tag, message = _element(dialogue.read, dialogue)
    rest = _Bytes(message)
    message_id = _element(rest.read, dialogue)
    response_tag, response = _element(rest.read, dialogue)
    code_tag, code = _element(_Bytes(response).read, dialogue)
    tags = (tag, message_id[0], response_tag, code_tag)
    if tags != (_SEQUENCE, _INTEGER, _EXTENDED_RESPONSE, _ENUMERATED):
        raise dialogue.no("answered no LDAP")
    if int.from_bytes(code):
        raise dialogue.no(f"refused StartTLS with result code {int.from_bytes(code)}")


def _postgres(dialogue: _Dialogue) -> None:
    dialogue.say(_SSL_REQUEST)
    answer = dialogue.read(1)
    if answer != b"S":
        said = "offers no TLS" if answer == b"N" else f"answered {answer!r} to an SSLRequest"
        raise dialogue.no(said)


class _Bytes:
    """Gives out a text piece by piece, and less at its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, count: int) -> bytes:
        piece, self._data = self._data[:count], self._data[count:]
        return piece


def _element(read: Callable[[int], bytes], dialogue: _Dialogue) -> tuple[bytes, bytes]:
    """Read one element of BER: its tag and its content."""
    tag, length = read(1), int.from_bytes(read(1))
    if length & _LONG_FORM:
        digits = length - _LONG_FORM
        if not 1 <= digits <= _LONGEST_LENGTH:
            raise dialogue.no("answered no LDAP")
        length = int.from_bytes(read(digits))
    content = read(length)
    if len(content) < length:
        raise dialogue.no("answered no LDAP")
    return tag, content


_DIALOGUES: Mapping[str, Callable[[_Dialogue], None]] = {
    "smtp": _smtp,
    "imap": _imap,
    "ldap": _ldap,
    "postgres": _postgres,
}
