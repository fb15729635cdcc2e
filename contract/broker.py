"""Which brokers can be used, those whose messages are rebuilt, and the files of their TLS."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlencode, urlsplit

from contract.error import DenreiError

SCHEMES = ("redis", "rediss", "redis+socket", "amqp", "amqps")
TLS_SCHEMES = ("rediss", "amqps")
TLS_KEYS = ("broker_ca", "broker_cert", "broker_key")


class BrokerError(DenreiError):
    """The broker can't be reached, or refuses us."""


class BrokerUrlError(DenreiError):
    """A broker's URL is none, or of a kind that is not supported, or its files don't fit it."""


def check_broker_url(url: str) -> str:
    """Return the URL if such a broker can be used. Raises BrokerUrlError."""
    try:
        parts = urlsplit(url)
        scheme, query = parts.scheme, parts.query
    except ValueError:
        scheme = query = ""
    if scheme not in SCHEMES:
        examples = "redis://broker:6379/0, rediss://… or amqps://broker/denrei"
        raise BrokerUrlError(f"broker must be a URL such as {examples}")
    if query:
        raise BrokerUrlError(f"broker must have no '?': files of TLS are {', '.join(TLS_KEYS)}")
    return url


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """The files of TLS: whom to believe that it is the broker, and what to show to it."""

    ca: str = ""
    cert: str = ""
    key: str = ""

    @classmethod
    def of(cls, settings: Mapping[str, str], url: str) -> Self:
        """Take the files out of settings. Raises BrokerUrlError."""
        ca, cert, key = (settings.get(name, "") for name in TLS_KEYS)
        if bool(cert) != bool(key):
            raise BrokerUrlError("broker_cert and broker_key go together: one of them is missing")
        for name, path in zip(TLS_KEYS, (ca, cert, key), strict=True):
            if path and not path.startswith("/"):
                raise BrokerUrlError(f"{name} must be an absolute path")
        if (ca or cert) and urlsplit(url).scheme not in TLS_SCHEMES:
            message = "broker_ca and broker_cert are of no use without rediss:// or amqps://"
            raise BrokerUrlError(message)
        return cls(ca, cert, key)


NO_FILES = BrokerFiles()  # the system's authorities, and nothing to show


def connection_url(url: str, files: BrokerFiles = NO_FILES) -> str:
    """Return the URL as kombu takes it: with TLS, the broker must prove its name.

    Without such words kombu would talk plainly to rediss://.
    """
    parts = urlsplit(url)
    if parts.scheme not in TLS_SCHEMES or parts.query:
        return url
    words = {"ssl_cert_reqs": "required"}
    if parts.scheme == "rediss":
        words["ssl_check_hostname"] = "true"
    given = {"ssl_ca_certs": files.ca, "ssl_certfile": files.cert, "ssl_keyfile": files.key}
    words.update({name: path for name, path in given.items() if path})
    return parts._replace(query=urlencode(words, safe="/")).geturl()


def user_in(url: str) -> str:
    """Return the user that a broker's URL names, or nothing."""
    return unquote(urlsplit(url).username or "")


# What TLS says, and what it means. The first that fits counts.
_TROUBLES = (
    ("certificate has expired", "the broker's certificate has expired"),
    ("ostname mismatch", "the broker's certificate is for another name than the URL's"),
    ("address mismatch", "the broker's certificate is for another address than the URL's"),
    ("CERTIFICATE_VERIFY_FAILED", "the broker's certificate is not of the CA in broker_ca"),
    ("certificate required", "the broker demands a certificate: set broker_cert and broker_key"),
    ("alert certificate expired", "the certificate in broker_cert has expired"),
    ("alert unknown ca", "the broker does not know the CA of the certificate in broker_cert"),
    ("alert bad certificate", "the broker refuses the certificate in broker_cert"),
    ("KEY_VALUES_MISMATCH", "broker_key is not the key of the certificate in broker_cert"),
    ("key values mismatch", "broker_key is not the key of the certificate in broker_cert"),
    ("WRONG_VERSION_NUMBER", "the broker speaks no TLS on this port"),
    ("wrong version number", "the broker speaks no TLS on this port"),
    ("Timeout connecting", "nothing answered in time; is it the right port, one that speaks TLS?"),
    ("PEM", "a file of broker_ca, broker_cert and broker_key is not PEM"),
)


def explain(error: BaseException) -> str:
    """Return what a client's error says, after what it means where that is known."""
    text = str(error)
    meaning = next((meaning for sign, meaning in _TROUBLES if sign in text), "")
    return f"{meaning} ({text})" if meaning else text
