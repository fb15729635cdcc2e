"""What a host says of one certificate in use: the verdict, and what it is based on."""

from enum import StrEnum
from typing import Annotated

import msgspec

from contract.order import Instant

MAX_FACTS = 500  # certificates that one report tells of

_Text = Annotated[str, msgspec.Meta(max_length=4000)]
_Name = Annotated[str, msgspec.Meta(max_length=1000)]
_Names = Annotated[list[_Name], msgspec.Meta(max_length=100)]


class CertificateVerdict(StrEnum):
    """How it stands with a certificate, seen from its file, its process and its port."""

    FRESH = "fresh"  # valid, and nothing says that an older one is in use
    EXPIRING = "expiring"  # near its end, and it should have been renewed by now
    STALE_IN_MEMORY = "stale_in_memory"  # the process uses another one than the file holds
    SPLIT = "split"  # some workers of a daemon show the one in the file, others do not
    UNREACHABLE = "unreachable"  # nothing runs, or the port shows no certificate
    WRONG_NAME = "wrong_name"  # it is not made out for a name that it must cover
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    KEY_MISMATCH = "key_mismatch"  # the key file holds another certificate's key
    UNREADABLE = "unreadable"  # the file holds no certificate that can be read
    MISSING = "missing"  # the file, or its key's, is not there


class CertificateFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a host found out about one certificate at one moment. Times are ms since 1970."""

    path: _Text = ""  # its file; empty if it was seen on a port only
    endpoint: _Text = ""  # `host:port` where it is shown; empty if no port was asked
    service: _Text = ""  # who uses it: a unit, else a program's name; empty if not known
    verdict: CertificateVerdict
    reason: _Text  # in a sentence
    confirmed: bool  # a process or a port was asked, and could tell
    scanned: bool = False  # a scan found it; else a runbook looked at just this one
    outage_at: Instant | None = None  # from when on handshakes or uploads fail
    expiring_at: Instant | None = None  # from when on it counts as expiring
    not_before: Instant | None = None  # of the one in the file, else of the one shown
    not_after: Instant | None = None
    serial: _Text = ""
    subject: _Text = ""
    issuer: _Text = ""
    sha256: _Text = ""
    san: _Names = []
    served_sha256: _Text = ""  # of the one shown, where it is another one
    renewal: _Text = ""  # the tool that renews it, such as `certbot`; empty if not known
    observed_at: Instant
