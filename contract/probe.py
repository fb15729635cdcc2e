"""What each kind of observation may be asked: its arguments, as a runbook writes them."""

from typing import Annotated, Literal

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
AbsolutePath = Annotated[str, msgspec.Meta(pattern=r"^/", max_length=4096)]
Argv = Annotated[list[str], msgspec.Meta(min_length=1, max_length=256)]
UNIT_NAME = r"^[A-Za-z0-9:_.\\@-]+$"
UnitName = Annotated[str, msgspec.Meta(pattern=UNIT_NAME, max_length=255)]
Url = Annotated[str, msgspec.Meta(pattern=r"^https?://", max_length=4096)]

StartTls = Literal["smtp", "imap", "ldap", "postgres"]


class X509(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate in a file: the first one of a PEM file, or DER."""

    path: AbsolutePath
    key: AbsolutePath | None = None  # the private key that should belong to it
    unparsable: Literal["unknown", "absent"] = "unknown"  # what an empty or damaged file counts as


class Process(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A running process, found by its pid file, by its command line, or by its systemd unit."""

    pid_file: AbsolutePath | None = None
    cmdline: str | None = None  # must stand in the command line; a path gets the host's root
    unit: str | None = None
    user: str | None = None  # the process must run as this user


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file or directory and, on request, a line in it."""

    path: AbsolutePath
    match: str | None = None  # a regular expression looked for line by line


class Glob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files and directories whose path fits a pattern."""

    path: AbsolutePath
    name: str | None = None  # `uuid`, or a regular expression for the whole last component


class Tcp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether something accepts connections, reached directly or through a proxy."""

    host: str  # `name` or `name:port`; a port here outweighs `port`
    port: Port = 443
    proxy_file: AbsolutePath | None = None  # one line [http://][user:password@]host[:port]
    timeout: str = "5s"


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate that a server shows on a port, whoever signed it."""

    host: str  # `name` or `name:port`; a port here outweighs `port`
    port: Port = 443
    server_name: str | None = None  # the name asked for (SNI); default: the host
    starttls: StartTls | None = None
    timeout: str = "5s"


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a web server answers. No redirect is followed, no proxy of the environment used."""

    url: Url
    method: Literal["GET", "HEAD"] = "GET"
    headers: dict[str, str] = {}
    ca_file: AbsolutePath | None = None  # who may have signed the server's certificate
    match: str | None = None  # a regular expression looked for in the body
    timeout: str = "10s"


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit of systemd."""

    name: UnitName


class Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lines at the end of a text log that fit a pattern."""

    path: AbsolutePath
    match: str  # a regular expression looked for line by line
    since: str | None = None  # a duration back from now, or a moment in RFC 3339


class Json(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value in a JSON file."""

    path: AbsolutePath
    pointer: str  # RFC 6901, such as `/servers/0/name`; empty for the whole document


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a program says that only reads, and the code it exits with."""

    argv: Argv
    timeout: str = "10s"


class CertificateState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it stands with a certificate: its file, who uses it, and the port that shows it."""

    path: AbsolutePath | None = None  # without it, the port alone is asked
    key: AbsolutePath | None = None  # the private key that should belong to it
    names: list[str] = []  # that it must cover
    pid_file: AbsolutePath | None = None  # these four as for `process`
    cmdline: str | None = None
    unit: str | None = None
    user: str | None = None
    made_here: bool | None = None  # on this host, not by an authority; default: if self-signed
    host: str = "127.0.0.1"  # `name` or `name:port`; a port here outweighs `port`
    port: Port | None = None  # without it, no port is asked
    server_name: str | None = None  # default: the file's first DNS name, else the host
    starttls: StartTls | None = None
    handshakes: Annotated[int, msgspec.Meta(ge=1, le=50)] = 5  # each may meet another worker
    expiring_within: str | None = None  # default: a quarter of its life, at most 30 days
    timeout: str = "5s"  # for all handshakes together
