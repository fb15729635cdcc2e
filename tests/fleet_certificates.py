"""Facts about certificates as hosts tell them, for tests of what becomes of them."""

from typing import Any

from hypothesis import strategies as st

from contract.certificate import CertificateFact, CertificateVerdict
from orchestrator.certificate import Certificate
from orchestrator.store.record import CertificateRecord

DAY = 24 * 3600 * 1000


def fact(path: str = "/etc/ssl/a.pem", **values: Any) -> CertificateFact:
    """Return a fact in which everything is well, but for what is said otherwise."""
    known = {
        "verdict": CertificateVerdict.FRESH,
        "reason": "the port shows the certificate of the file",
        "confirmed": True,
        "observed_at": 1,
    }
    return CertificateFact(path=path, **{**known, **values})


def certificate(host: str = "web1", now: int = 0, **values: Any) -> Certificate:
    """Return a certificate as the orchestrator has it, told at a moment."""
    said = fact(**values)
    record = CertificateRecord(host=host, run_id="0" * 26, observed_at=said.observed_at, fact=said)
    return Certificate(record, now)


_TEXT = st.text(max_size=40)
_MOMENT = st.none() | st.integers(0, 253_402_300_799_000)

# Whatever a host may say, with values that a terminal, a spreadsheet or a calendar could take
# for something else.
_HOSTILE = _TEXT | st.sampled_from(
    ["=1+1", "-5", "@SUM(A1)", "'", "a,b;c\\d\ne\r\nf", "\x1b[2J", "\u202egnp", 'a"b', "漢字" * 40]
)
CERTIFICATES = st.builds(
    certificate,
    host=st.sampled_from(["web1", "web2", "db1"]),
    now=st.integers(0, 4_102_444_800_000),
    path=_HOSTILE,
    endpoint=_HOSTILE,
    service=_HOSTILE,
    verdict=st.sampled_from(CertificateVerdict),
    reason=_HOSTILE,
    confirmed=st.booleans(),
    outage_at=_MOMENT,
    expiring_at=_MOMENT,
    not_before=_MOMENT,
    not_after=_MOMENT,
    serial=_HOSTILE,
    subject=_HOSTILE,
    issuer=_HOSTILE,
    san=st.lists(_HOSTILE, max_size=3),
    renewal=_HOSTILE,
    observed_at=st.integers(0, 4_102_444_800_000),
)
