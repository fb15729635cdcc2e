"""The kinds of observation: what each may be asked, and the typed fields that it answers with.

Probes themselves live in the worker; this table is what a runbook is checked against.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from contract.certificate import CertificateVerdict
from contract.expression import ValueType
from contract.probe import (
    X509,
    Certificates,
    CertificateState,
    Command,
    File,
    Glob,
    Http,
    Json,
    Log,
    Process,
    Tcp,
    Tls,
    Unit,
)
from contract.touch import Touch, nothing, reads, starts


@dataclass(frozen=True, slots=True)
class ObservationKind:
    """What a kind of observation takes and gives, and what it touches."""

    arguments: type[msgspec.Struct]
    touches: Callable[[Any], list[Touch]]  # of filled-in arguments
    guard: str  # the boolean field that is always there
    fields: Mapping[str, ValueType]  # all fields; but for the guard, unbound when it is false
    unguarded: frozenset[str] = frozenset()  # further fields that are always there
    further_guards: Mapping[str, str] = field(default_factory=dict)  # instead of `guard`
    summary: str = ""

    def guard_of(self, name: str) -> str | None:
        """Return the boolean field that must be true for a field to be there."""
        if name == self.guard or name in self.unguarded:
            return None
        return self.further_guards.get(name, self.guard)


def _path(arguments: File | Glob | Log | Json) -> list[Touch]:
    return reads(arguments.path)


_BOOL, _INT, _STRING = ValueType.BOOL, ValueType.INT, ValueType.STRING
_STRINGS, _TIME = ValueType.STRINGS, ValueType.TIMESTAMP

_CERTIFICATE: Mapping[str, ValueType] = {
    "not_before": _TIME,
    "not_after": _TIME,
    "days_left": _INT,  # whole days until not_after, rounded down
    "serial": _STRING,  # upper-case hexadecimal
    "subject": _STRING,  # RFC 4514
    "issuer": _STRING,  # RFC 4514
    "san": _STRINGS,  # `DNS:name`, `IP:address`, `email:…`, `URI:…`
    "sha256": _STRING,  # fingerprint, lower-case hexadecimal
    "key_type": _STRING,  # such as `rsa-2048`, `ec-secp256r1`, `ed25519`
}

_SERVED = (
    *("served_not_before", "served_not_after", "served_serial", "served_sha256"),
    "lost_names",
)

OBSERVATIONS: Mapping[str, ObservationKind] = {
    "x509": ObservationKind(
        X509,
        lambda a: reads(a.path, a.key),
        guard="exists",
        fields={
            "exists": _BOOL,
            **_CERTIFICATE,
            "chain_length": _INT,  # with itself
            "key_exists": _BOOL,  # false without `key:`
            "key_matches": _BOOL,  # the key file holds the certificate's private key
        },
        summary="a certificate in a file",
    ),
    "certificate_state": ObservationKind(
        CertificateState,
        lambda a: reads(a.path, a.key, a.pid_file),
        guard="exists",
        fields={
            "exists": _BOOL,  # the file holds a certificate that can be read
            "verdict": _STRING,  # see contract/certificate.py
            "reason": _STRING,  # in a sentence
            "confirmed": _BOOL,  # a process or a port was asked, and could tell
            "fresh": _BOOL,  # verdict is `fresh`
            "fails": _BOOL,  # it is known from when on it does
            "outage_at": _TIME,  # from when on handshakes or uploads fail
            **_CERTIFICATE,
            "expiring_at": _TIME,  # from when on it counts as expiring
            "chain_ends_at": _TIME,  # the first end of it and of those in the file that signed it
            "chain_length": _INT,  # with itself
            "key_exists": _BOOL,  # false without `key:`
            "key_matches": _BOOL,
            "running": _BOOL,  # a process was asked for, and runs
            "pid": _INT,
            "loaded_at": _TIME,  # when it started, or was reloaded last
            "shown": _BOOL,  # a port was asked, and showed a certificate
            "served_not_before": _TIME,  # of one that is not the file's, if such a one is shown
            "served_not_after": _TIME,  # the first end of all that are shown
            "served_serial": _STRING,
            "served_sha256": _STRING,
            "lost_names": _STRINGS,  # that one shown is good for, and the file's is not
        },
        unguarded=frozenset(
            {"verdict", "reason", "confirmed", "fresh", "fails", "running", "shown"}
        ),
        further_guards={
            "outage_at": "fails",
            **dict.fromkeys(("pid", "loaded_at"), "running"),
            **dict.fromkeys(_SERVED, "shown"),
        },
        summary="how it stands with a certificate in use",
    ),
    "certificates": ObservationKind(
        Certificates,
        lambda _: reads("/"),  # what daemons are configured with may be anywhere
        guard="exists",
        fields={
            "exists": _BOOL,  # at least one was found
            "count": _INT,
            "needing_work": _INT,  # all but the fresh ones
            **dict.fromkeys(map(str, CertificateVerdict), _INT),  # how many have each verdict
            "worst": _STRING,  # the worst verdict
            "work": _STRINGS,  # what needs work: its file or port, and the reason
            "complete": _BOOL,  # everything could be looked at
            "problems": _STRINGS,  # what could not
        },
        unguarded=frozenset(
            {"count", "needing_work", *map(str, CertificateVerdict), "work", "complete", "problems"}
        ),
        summary="the certificates in use on the host",
    ),
    "process": ObservationKind(
        Process,
        lambda a: reads(a.pid_file),
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
        _path,
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
        _path,
        guard="exists",
        fields={
            "exists": _BOOL,
            "count": _INT,
            "names": _STRINGS,  # last components, sorted
            "paths": _STRINGS,
            "size": _INT,  # bytes of the regular files
        },
        unguarded=frozenset({"count", "names", "paths", "size"}),
        summary="the paths that fit a pattern",
    ),
    "tcp": ObservationKind(
        Tcp,
        lambda a: reads(a.proxy_file),
        guard="open",
        fields={"open": _BOOL, "error": _STRING, "milliseconds": _INT},
        unguarded=frozenset({"error"}),
        summary="whether a port accepts connections",
    ),
    "tls": ObservationKind(
        Tls,
        nothing,
        guard="served",
        fields={
            "served": _BOOL,
            "open": _BOOL,  # the port accepts connections
            "error": _STRING,
            **_CERTIFICATE,
            "protocol": _STRING,  # such as `TLSv1.3`
        },
        unguarded=frozenset({"open", "error"}),
        summary="the certificate served on a port",
    ),
    "http": ObservationKind(
        Http,
        lambda a: reads(a.ca_file),
        guard="answered",
        fields={
            "answered": _BOOL,
            "error": _STRING,
            "status": _INT,
            "body": _STRING,  # the first 64 KiB
            "matches": _BOOL,  # `match` was found in them
            "matched": _STRING,  # its first group, else the whole match
            "milliseconds": _INT,
        },
        unguarded=frozenset({"error"}),
        summary="what a web server answers",
    ),
    "unit": ObservationKind(
        Unit,
        nothing,
        guard="exists",
        fields={
            "exists": _BOOL,
            "active": _BOOL,  # active_state is `active` or `reloading`
            "active_state": _STRING,  # as systemd says it, as are the next three
            "sub_state": _STRING,
            "load_state": _STRING,
            "unit_file_state": _STRING,
            "enabled": _BOOL,  # unit_file_state is `enabled` or `enabled-runtime`
            "main_pid": _INT,  # 0 if there is none
            "started": _BOOL,  # its main process was started, ever since boot
            "started_at": _TIME,
            "n_restarts": _INT,  # by systemd itself
            "fragment_path": _STRING,
        },
        further_guards={"started_at": "started"},
        summary="a unit of systemd",
    ),
    "log": ObservationKind(
        Log,
        _path,
        guard="exists",
        fields={
            "exists": _BOOL,
            "count": _INT,  # how many lines fit
            "times": _STRINGS,  # theirs in RFC 3339, of the last 1000
            "matched": _BOOL,  # at least one
            "last": _STRING,  # the last one that fits
            "dated": _BOOL,  # and it has a time
            "last_at": _TIME,
            "truncated": _BOOL,  # lines that might count were left unread
        },
        further_guards={"last": "matched", "last_at": "dated"},
        summary="lines of a text log",
    ),
    "json": ObservationKind(
        Json,
        _path,
        guard="exists",
        fields={
            "exists": _BOOL,  # the file, and in it what the pointer names
            "kind": _STRING,  # string, number, boolean, null, object or array
            "value": _STRING,  # a string as it is, anything else as JSON
            "is_true": _BOOL,  # it is `true` itself
            "is_integer": _BOOL,  # it is a whole number of 64 bits
            "number": _INT,
        },
        further_guards={"number": "is_integer"},
        summary="a value of a JSON file",
    ),
    "command": ObservationKind(
        Command,
        lambda a: starts(a.argv),
        guard="exists",
        fields={"exists": _BOOL, "exit_code": _INT, "stdout": _STRING, "stderr": _STRING},
        summary="what a read-only program says",
    ),
}
