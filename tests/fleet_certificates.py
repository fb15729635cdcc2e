"""Facts about certificates as hosts tell them, for tests of what becomes of them."""

from typing import Any

from contract.certificate import CertificateFact, CertificateVerdict

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
