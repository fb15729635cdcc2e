"""HPKE by other code than ours: pyhpke, with the suite and the framing that sealed values have."""

import base64

from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

from contract.key import SealKey, SealPublicKey

SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)
ENC = 32  # bytes of the encapsulated key, before the ciphertext


def their_seal(secret: str, key: SealPublicKey, info: bytes, suite: CipherSuite = SUITE) -> str:
    """Seal as `contract.sealing` describes it: a length, the secret, and zeros up to 1,024."""
    plain = secret.encode()
    padded = (len(plain).to_bytes(4, "big") + plain).ljust(1024, b"\0")
    enc, sender = suite.create_sender_context(KEMKey.from_pyca_cryptography_key(key.key), info=info)
    return base64.b64encode(enc + sender.seal(padded)).decode()


def their_open(sealed: str, key: SealKey, info: bytes) -> str:
    """Open what was sealed. Raises pyhpke's OpenError."""
    raw = base64.b64decode(sealed)
    private = KEMKey.from_pyca_cryptography_key(key.private)
    padded = SUITE.create_recipient_context(raw[:ENC], private, info=info).open(raw[ENC:])
    return padded[4 : 4 + int.from_bytes(padded[:4], "big")].decode()


def altered(sealed: str, at: int) -> str:
    """Return the sealed value with one bit of one byte turned."""
    raw = bytearray(base64.b64decode(sealed))
    raw[at] ^= 1
    return base64.b64encode(raw).decode()
