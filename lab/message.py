"""What agent and cloud say to each other: paths, the topology XML, the onboarding signature."""

import base64
import hashlib
import hmac
import re
from xml.sax.saxutils import escape

TOPOLOGY = "/AgentService.svc/LinuxAgentTopologyRequest"
RENEWAL = "/ConfigurationService.Svc/RenewCertificate"
UPLOAD = "/OperationalData.svc/PostJsonDataItems"

DATE = "x-ms-Date"
CONTENT_HASH = "x-ms-SHA256_Content"
AUTHORIZATION = "Authorization"


def topology_request(guid: str, name: str, certificate: bytes = b"") -> bytes:
    """Ask for the topology; with a certificate (DER) it is the onboarding request."""
    carried = base64.b64encode(certificate).decode()
    return (
        '<?xml version="1.0"?>\n<LinuxAgentTopologyRequest>'
        f"<FullyQualfiedDomainName>{escape(name)}</FullyQualfiedDomainName>"
        f"<EntityTypeId>{escape(guid)}</EntityTypeId>"
        f"<AuthenticationCertificate>{carried}</AuthenticationCertificate>"
        "</LinuxAgentTopologyRequest>"
    ).encode()


def renewal_request(certificate: bytes) -> bytes:
    """Ask the cloud to take this certificate (DER) from now on."""
    carried = base64.b64encode(certificate).decode()
    return (
        '<?xml version="1.0"?>\n<CertificateUpdateRequest>'
        f"<NewCertificate>{carried}</NewCertificate></CertificateUpdateRequest>"
    ).encode()


ASKED_TO_RENEW = b'updateCertificate="true"'


def topology_answer(host: str, *, renew: bool = False) -> bytes:
    """Tell an agent its endpoints, and whether to renew its certificate."""
    return (
        '<?xml version="1.0"?>\n<LinuxAgentTopologyResponse queryInterval="PT20M">'
        f'<CertificateUpdateEndpoint updateCertificate="{"true" if renew else "false"}">'
        f"https://{host}{RENEWAL}"
        "</CertificateUpdateEndpoint><DscConfiguration>"
        f"<Endpoint>https://{host}/Accounts/Nodes</Endpoint></DscConfiguration>"
        "</LinuxAgentTopologyResponse>"
    ).encode()


def element(body: bytes, name: str) -> str:
    """Find the text of one element, by pattern as upstream's scripts do; empty if absent."""
    found = re.search(rf"<{name}(?: [^>]*)?>([^<]*)</{name}>", body.decode(errors="replace"))
    return found[1].strip() if found else ""


def content_hash(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def signature(key: bytes, date: str, body: bytes) -> str:
    """Sign a request with the workspace's shared key."""
    told = f"{date}\n{content_hash(body)}\n".encode()
    return base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()


def signed_headers(workspace: str, key: bytes, date: str, body: bytes) -> dict[str, str]:
    """Give the headers of an onboarding request."""
    return {
        DATE: date,
        CONTENT_HASH: content_hash(body),
        AUTHORIZATION: f"{workspace}; {signature(key, date, body)}",
        "Content-Type": "application/xml",
    }
