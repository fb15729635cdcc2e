"""The observation `x509`: a certificate in a file, and whether a key belongs to it."""

from contract.probe import X509
from worker.certificate.reading import read_certificate
from worker.certificate.witness import Absent, Held, KeyStatus, Unreadable
from worker.observations.observation import Fields, ObservationError
from worker.root import Root


def observe_x509(arguments: X509, root: Root) -> Fields:
    """Read a certificate: the first one of a PEM file, or of DER or PKCS#12."""
    key = root.locate(arguments.key) if arguments.key else None
    match read_certificate(root.locate(arguments.path), key):
        case Absent():
            return {"exists": False}
        case Unreadable(why, was_read):
            if was_read and arguments.unparsable == "absent":
                return {"exists": False}
            raise ObservationError(why)
        case Held() as held:
            chain_length = 1 + len(held.chain)
            known = {"exists": True, "chain_length": chain_length}
            return {**known, **held.leaf.fields(), **key_fields(held)}


def key_fields(held: Held) -> Fields:
    """Return what is to be said of the key. Raises ObservationError if it can't be compared."""
    if held.key in (KeyStatus.ENCRYPTED, KeyStatus.UNSUPPORTED, KeyStatus.UNSEEN):
        raise ObservationError(held.key_note)
    exists = held.key not in (KeyStatus.NOT_ASKED, KeyStatus.MISSING)
    return {"key_exists": exists, "key_matches": held.key is KeyStatus.MATCHES}
