"""A certificate of the fleet as it stands at a moment: what its host said, and time since then."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from contract.certificate import CertificateFact, CertificateVerdict
from contract.expression import Value, ValueType
from contract.instant import to_datetime
from orchestrator.store.record import CertificateRecord

# What can be asked of a certificate and shown of it, in the order of the columns.
FIELDS: Mapping[str, ValueType] = {
    "host": ValueType.STRING,
    "path": ValueType.STRING,
    "endpoint": ValueType.STRING,
    "service": ValueType.STRING,
    "verdict": ValueType.STRING,
    "reason": ValueType.STRING,
    "confirmed": ValueType.BOOL,
    "outage_at": ValueType.TIMESTAMP,
    "expiring_at": ValueType.TIMESTAMP,
    "not_before": ValueType.TIMESTAMP,
    "not_after": ValueType.TIMESTAMP,
    "days_left": ValueType.INT,
    "serial": ValueType.STRING,
    "subject": ValueType.STRING,
    "issuer": ValueType.STRING,
    "sha256": ValueType.STRING,
    "served_sha256": ValueType.STRING,
    "san": ValueType.STRINGS,
    "renewal": ValueType.STRING,
    "observed_at": ValueType.TIMESTAMP,
}

_DAY_MS = 24 * 3600 * 1000
_ITSELF = "127.0.0.1"  # a port of the host that is named beside it
_MOVES_ON = frozenset({CertificateVerdict.FRESH, CertificateVerdict.EXPIRING})
# Where what is in use is not the one in the file, its end says nothing about failing.
_FAILS_AT_ITS_END = _MOVES_ON | {CertificateVerdict.EXPIRED}


@dataclass(frozen=True)
class Certificate:
    """What is known of one certificate, told at a moment (`now`, ms since 1970)."""

    record: CertificateRecord
    now: int

    @property
    def fact(self) -> CertificateFact:
        """Return what the host said."""
        return self.record.fact

    @property
    def name(self) -> str:
        """Return what to call it: its file and the port where it is shown."""
        port = self.fact.endpoint.removeprefix(_ITSELF)
        return " @ ".join(part for part in (self.fact.path, port) if part)

    @property
    def fails_at(self) -> int | None:
        """Return from when on it fails, as far as that is known."""
        if self.fact.outage_at is None and self.verdict in _FAILS_AT_ITS_END:
            return self.fact.not_after
        return self.fact.outage_at

    @cached_property
    def verdict(self) -> CertificateVerdict:
        """Return the verdict; one that was well when seen may have come to its end since."""
        if self.fact.verdict not in _MOVES_ON:
            return self.fact.verdict
        ends = [each for each in (self.fact.outage_at, self.fact.not_after) if each is not None]
        if ends and min(ends) <= self.now:
            return CertificateVerdict.EXPIRED
        if self.fact.expiring_at is not None and self.fact.expiring_at <= self.now:
            return CertificateVerdict.EXPIRING
        return self.fact.verdict

    @property
    def reason(self) -> str:
        """Return why, in a sentence."""
        if self.verdict is self.fact.verdict:
            return self.fact.reason
        return f"its time has come since it was seen as {self.fact.verdict} ({self.fact.reason})"

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """Return the fields that are known, typed as FIELDS says."""
        fact = self.fact
        moments = {
            "outage_at": fact.outage_at,
            "expiring_at": fact.expiring_at,
            "not_before": fact.not_before,
            "not_after": fact.not_after,
            "observed_at": self.record.observed_at,
        }
        values: dict[str, Value] = {
            "host": self.record.host,
            "path": fact.path,
            "endpoint": fact.endpoint,
            "service": fact.service,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "confirmed": fact.confirmed,
            "serial": fact.serial,
            "subject": fact.subject,
            "issuer": fact.issuer,
            "sha256": fact.sha256,
            "served_sha256": fact.served_sha256,
            "san": list(fact.san),
            "renewal": fact.renewal,
            **{name: to_datetime(ms) for name, ms in moments.items() if ms is not None},
        }
        if fact.not_after is not None:
            values["days_left"] = (fact.not_after - self.now) // _DAY_MS
        return {name: values[name] for name in FIELDS if name in values}
