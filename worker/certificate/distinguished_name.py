"""Distinguished names, written as RFC 4514 says and with the short names of openssl."""

from collections.abc import Mapping

from cryptography import x509
from cryptography.x509 import NameOID, ObjectIdentifier

from worker.certificate.der import bit_string

_SHORT: Mapping[ObjectIdentifier, str] = {
    NameOID.EMAIL_ADDRESS: "emailAddress",
    NameOID.SERIAL_NUMBER: "serialNumber",
    NameOID.SURNAME: "SN",
    NameOID.GIVEN_NAME: "GN",
    NameOID.TITLE: "title",
    NameOID.INITIALS: "initials",
    NameOID.GENERATION_QUALIFIER: "generationQualifier",
    NameOID.PSEUDONYM: "pseudonym",
    NameOID.DN_QUALIFIER: "dnQualifier",
    NameOID.X500_UNIQUE_IDENTIFIER: "x500UniqueIdentifier",
    NameOID.STREET_ADDRESS: "street",
    NameOID.POSTAL_CODE: "postalCode",
    NameOID.BUSINESS_CATEGORY: "businessCategory",
    NameOID.ORGANIZATION_IDENTIFIER: "organizationIdentifier",
    NameOID.JURISDICTION_COUNTRY_NAME: "jurisdictionC",
    NameOID.JURISDICTION_STATE_OR_PROVINCE_NAME: "jurisdictionST",
    NameOID.JURISDICTION_LOCALITY_NAME: "jurisdictionL",
    NameOID.UNSTRUCTURED_NAME: "unstructuredName",
    NameOID.INN: "INN",
    NameOID.OGRN: "OGRN",
    NameOID.SNILS: "SNILS",
}


def show_name(name: x509.Name) -> str:
    """Write a name, its last part first."""
    return ",".join(
        "+".join(_show_attribute(attribute) for attribute in part) for part in reversed(name.rdns)
    )


def _show_attribute(attribute: x509.NameAttribute[str | bytes]) -> str:
    if isinstance(attribute.value, bytes):  # the content of a bit string
        label = _SHORT.get(attribute.oid, attribute.oid.dotted_string)
        return f"{label}=#{bit_string(attribute.value).hex().upper()}"
    return attribute.rfc4514_string(_SHORT)
