"""What a request of HTTP may ask for: a URL, and headers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from contract.error import DenreiError

_PORTS = {"http": 80, "https": 443}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_AFTER_HOST = re.compile(r"[/?#]")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_LINE = re.compile(r"[\x20-\x7e\t]*")


class RequestError(DenreiError):
    """A text is no URL or no header that can be asked with."""


@dataclass(frozen=True, slots=True)
class Url:
    """Where a request goes."""

    host: str
    port: int
    authority: str  # host and port, as the header Host has them
    path: str  # with the query
    is_secure: bool


def parse_url(text: str) -> Url:
    """Read a URL. Raises RequestError, which never repeats a password."""
    if "@" in _AFTER_HOST.split(text.partition("//")[2])[0]:
        raise RequestError("a URL may hold no user name and no password here")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise RequestError(f"{text!r} is no URL: {error}") from None
    if not _VISIBLE.fullmatch(text) or parts.scheme not in _PORTS or not parts.hostname:
        raise RequestError(f"{text!r} is no URL such as https://host:port/path")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    is_secure = parts.scheme == "https"
    return Url(parts.hostname, port or _PORTS[parts.scheme], parts.netloc, path, is_secure)


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise RequestError if one of them is no header, or would be more than one."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _LINE.fullmatch(value):
            raise RequestError(f"{name!r} is no header of HTTP, or its value is not one line")
