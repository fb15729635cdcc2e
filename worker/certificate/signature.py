"""Whether one certificate signed another: names alone say what they please."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from worker.certificate.description import DAMAGED, Certificate, quietly


def may_have_signed(issuer: Certificate, certificate: Certificate) -> bool:
    """Tell whether the names fit and the signature does; one that can't be verified counts."""
    if issuer.subject != certificate.issuer:
        return False
    try:
        with quietly():
            signed, by = map(x509.load_der_x509_certificate, (certificate.der, issuer.der))
            signed.verify_directly_issued_by(by)
    except InvalidSignature:
        return False
    except DAMAGED:  # such as an algorithm that the library leaves out
        return True
    return True
