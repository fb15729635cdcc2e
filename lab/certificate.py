"""The self-signed pair of an agent, and the lab's own authority for the cloud's name."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

LIFE_DAYS = 365


@dataclass(frozen=True)
class Pair:
    """A private key and its certificate, both in PEM."""

    key: bytes
    certificate: bytes

    @property
    def der(self) -> bytes:
        """Give the certificate as it is sent; nothing, if the file holds none."""
        try:
            loaded = x509.load_pem_x509_certificate(self.certificate)
        except ValueError:
            return b""
        return loaded.public_bytes(serialization.Encoding.DER)

    def overwrite(self, key: Path, certificate: Path) -> None:
        """Write both files in place: the same inodes, one after the other, not atomic."""
        for path, content in ((key, self.key), (certificate, self.certificate)):
            with path.open("wb") as file:
                file.write(content)
            path.chmod(0o640)


def agent_pair(workspace: str, guid: str, days_left: int = LIFE_DAYS) -> Pair:
    """Make the pair of one agent: RSA-2048, SHA-256, a life of 365 days that ends in `days_left`.

    oms-agent.md section 1: `renew_certs` makes it "valid 365 days from now".
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    names = [
        x509.NameAttribute(NameOID.COMMON_NAME, workspace),
        x509.NameAttribute(NameOID.COMMON_NAME, guid),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Linux Monitoring Agent"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Microsoft"),
    ]
    subject = x509.Name(names)
    end = _now() + dt.timedelta(days=days_left)
    start = end - dt.timedelta(days=LIFE_DAYS)
    builder = _builder(subject, subject, key, key).not_valid_before(start).not_valid_after(end)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return Pair(_key_pem(key), _sign(builder, key))


def server_pair(name: str) -> Pair:
    """Make the pair of a server, self-signed, for a name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = _now()
    builder = _builder(subject, subject, key, key).not_valid_before(start)
    builder = builder.not_valid_after(start + dt.timedelta(days=90))
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    return Pair(_key_pem(key), _sign(builder.add_extension(names, critical=False), key))


def make_authority(directory: Path, tld: str) -> None:
    """Write `ca.pem` and `server.pem` (for *.oms.<tld>); the authority's own key is not kept."""
    authority = ec.generate_private_key(ec.SECP256R1())
    server = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Denrei lab authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"*.oms.{tld}")])
    ca = _lasting(_builder(name, name, authority, authority))
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    ca = ca.add_extension(_usage(signs_certificates=True), critical=True)
    leaf = _lasting(_builder(subject, name, server, authority))
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.add_extension(_usage(signs_certificates=False), critical=True)
    leaf = leaf.add_extension(
        x509.SubjectAlternativeName([x509.DNSName(f"*.oms.{tld}")]), critical=False
    )
    server_file = directory / "server.pem"
    server_file.touch(0o600)
    server_file.write_bytes(_key_pem(server) + _sign(leaf, authority))
    (directory / "ca.pem").write_bytes(_sign(ca, authority))


def _builder(
    subject: x509.Name, issuer: x509.Name, own: _Key, signer: _Key
) -> x509.CertificateBuilder:
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(issuer_key, critical=False)
    )


def _lasting(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    start = _now() - dt.timedelta(days=1)
    return builder.not_valid_before(start).not_valid_after(start + dt.timedelta(days=3650))


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(builder: x509.CertificateBuilder, signer: _Key) -> bytes:
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _key_pem(key: _Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)
