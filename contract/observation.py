"""The kinds of observation: what each may be asked, and the typed fields that it answers with.

Probes themselves live in the worker; this table is what a runbook is checked against.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from contract.expression import ValueType

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
AbsolutePath = Annotated[str, msgspec.Meta(pattern=r"^/", max_length=4096)]
Argv = Annotated[list[str], msgspec.Meta(min_length=1, max_length=256)]


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


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a program says that only reads, and the code it exits with."""

    argv: Argv
    timeout: str = "10s"


@dataclass(frozen=True, slots=True)
class ObservationKind:
    """What a kind of observation takes and gives."""

    arguments: type[msgspec.Struct]
    guard: str  # the boolean field that is always there
    fields: Mapping[str, ValueType]  # all fields; but for the guard, unbound when it is false
    unguarded: frozenset[str] = frozenset()  # further fields that are always there
    summary: str = ""


_BOOL, _INT, _STRING = ValueType.BOOL, ValueType.INT, ValueType.STRING
_STRINGS, _TIME = ValueType.STRINGS, ValueType.TIMESTAMP

OBSERVATIONS: Mapping[str, ObservationKind] = {
    "x509": ObservationKind(
        X509,
        guard="exists",
        fields={
            "exists": _BOOL,
            "not_before": _TIME,
            "not_after": _TIME,
            "days_left": _INT,  # whole days until not_after, rounded down
            "serial": _STRING,  # upper-case hexadecimal
            "subject": _STRING,  # RFC 4514
            "issuer": _STRING,  # RFC 4514
            "san": _STRINGS,  # `DNS:name`, `IP:address`, `email:…`, `URI:…`
            "sha256": _STRING,  # fingerprint, lower-case hexadecimal
            "key_type": _STRING,  # such as `rsa-2048`, `ec-secp256r1`, `ed25519`
            "key_exists": _BOOL,  # false without `key:`
            "key_matches": _BOOL,  # the key file holds the certificate's private key
        },
        summary="a certificate in a file",
    ),
    "process": ObservationKind(
        Process,
        guard="running",
        fields={
            "running": _BOOL,
            "pid": _INT,
            "started_at": _TIME,
            "user": _STRING,
            "boot_id": _STRING,
            "start_ticks": _INT,  # clock ticks since boot; with boot_id and pid the identity
            "identity": _STRING,  # `boot_id:pid:start_ticks`, never used twice
            "count": _INT,  # how many processes fit the description
        },
        summary="a running process",
    ),
    "file": ObservationKind(
        File,
        guard="exists",
        fields={
            "exists": _BOOL,
            "kind": _STRING,  # file, directory, link or other; links are not followed
            "size": _INT,  # bytes
            "mode": _STRING,  # four octal digits, such as `0640`
            "owner": _STRING,
            "group": _STRING,
            "mtime": _TIME,
            "sha256": _STRING,  # lower-case hexadecimal; empty but for regular files up to 16 MiB
            "matches": _BOOL,  # some line fits `match`
            "matched": _STRING,  # the first group of the first fitting line, else the whole match
        },
        summary="a file or directory",
    ),
    "glob": ObservationKind(
        Glob,
        guard="exists",
        fields={
            "exists": _BOOL,
            "count": _INT,
            "names": _STRINGS,  # last components, sorted
            "paths": _STRINGS,
        },
        unguarded=frozenset({"count", "names", "paths"}),
        summary="the paths that fit a pattern",
    ),
    "tcp": ObservationKind(
        Tcp,
        guard="open",
        fields={"open": _BOOL, "error": _STRING, "milliseconds": _INT},
        unguarded=frozenset({"error"}),
        summary="whether a port accepts connections",
    ),
    "command": ObservationKind(
        Command,
        guard="exists",
        fields={"exists": _BOOL, "exit_code": _INT, "stdout": _STRING, "stderr": _STRING},
        summary="what a read-only program says",
    ),
}
