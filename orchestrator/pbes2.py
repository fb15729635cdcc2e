"""A private key under a passphrase: PBES2 (RFC 8018) with scrypt (RFC 7914), as OpenSSL has it.

`cryptography` reads such files. What it writes itself makes a guess cost 2048 rounds of a hash,
which a stolen laptop's disk does not withstand.
"""

import base64
import os
import textwrap

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7

# What OWASP's password storage sheet asks for, in the 32 MiB that OpenSSL allows a reader.
_COST, _BLOCKS, _TIMES = 2**14, 8, 5
_SALT_BYTES = _IV_BYTES = 16
_KEY_BYTES = 32

_INTEGER, _OCTETS, _OBJECT, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_PBES2 = bytes.fromhex("2a864886f70d01050d")  # 1.2.840.113549.1.5.13
_SCRYPT = bytes.fromhex("2b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_AES_256_CBC = bytes.fromhex("60864801650304012a")  # 2.16.840.1.101.3.4.1.42
_SHORT_LENGTH = 0x80  # X.690, section 8.1.3


def encrypt(pkcs8: bytes, passphrase: bytes) -> bytes:
    """Return a key, given as PKCS#8 in DER, as a PEM file that only the passphrase opens."""
    salt, iv = os.urandom(_SALT_BYTES), os.urandom(_IV_BYTES)
    key = Scrypt(salt=salt, length=_KEY_BYTES, n=_COST, r=_BLOCKS, p=_TIMES).derive(passphrase)
    numbers = [_integer(number) for number in (_COST, _BLOCKS, _TIMES)]
    derivation = _sequence(_der(_OBJECT, _SCRYPT), _sequence(_der(_OCTETS, salt), *numbers))
    cipher = _sequence(_der(_OBJECT, _AES_256_CBC), _der(_OCTETS, iv))
    how = _sequence(_der(_OBJECT, _PBES2), _sequence(derivation, cipher))
    return _pem(_sequence(how, _der(_OCTETS, _encrypted(pkcs8, key, iv))))


def _encrypted(plain: bytes, key: bytes, iv: bytes) -> bytes:
    padder = PKCS7(AES256.block_size).padder()
    padded = padder.update(plain) + padder.finalize()
    encryptor = Cipher(AES256(key), CBC(iv)).encryptor()
    return encryptor.update(padded) + encryptor.finalize()


def _sequence(*parts: bytes) -> bytes:
    return _der(_SEQUENCE, b"".join(parts))


def _integer(number: int) -> bytes:
    return _der(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < _SHORT_LENGTH:
        return bytes([tag, length]) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, _SHORT_LENGTH | len(digits)]) + digits + content


def _pem(der: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    kind = "ENCRYPTED PRIVATE KEY"
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""]).encode()
