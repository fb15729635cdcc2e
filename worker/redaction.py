"""Takes secret values out of what a host reports or logs, in their plain and common forms."""

import base64
import json
import re
import shlex
from collections.abc import Iterable
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

from contract.parameter import MIN_SECRET_CHARACTERS

MASK = "[secret]"

_ESCAPE = re.compile("%[0-9A-F]{2}")
_URL_SAFE = str.maketrans("+/", "-_")


class Redactor:
    """Replaces the secrets of one order wherever they appear."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Work out the forms: plain, base64, hex, and as URLs, JSON, HTML and shells quote it."""
        # An empty secret is one that was not given; it stands between all characters.
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)

    @property
    def has_secrets(self) -> bool:
        """Tell whether there is anything to take out."""
        return bool(self._forms)

    def text(self, text: str) -> str:
        """Return the text without the secrets."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def tree(self, tree: Any) -> Any:
        """Return JSON-like data without the secrets."""
        if isinstance(tree, str):
            return self.text(tree)
        if isinstance(tree, dict):
            return {name: self.tree(child) for name, child in tree.items()}
        if isinstance(tree, list):
            return [self.tree(child) for child in tree]
        return tree


def _forms(secret: str) -> Iterable[str]:
    yield from _spellings(secret)
    # A tool may print one line of a key, or a password without the line break behind it.
    for line in secret.splitlines():
        if len(line.strip()) >= MIN_SECRET_CHARACTERS:
            yield from _spellings(line.strip())


def _spellings(secret: str) -> Iterable[str]:
    raw = secret.encode()
    yield secret
    yield raw.hex()
    yield raw.hex().upper()
    for url in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield url
        yield _ESCAPE.sub(lambda found: found[0].lower(), url)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield escape(secret)
    yield shlex.quote(secret)
    for text in _base64(raw):
        yield text
        yield text.translate(_URL_SAFE)


def _base64(raw: bytes) -> Iterable[str]:
    """Yield what is the same whatever stands before and behind, as in `user:password`."""
    yield base64.b64encode(raw).decode().rstrip("=")
    for offset, shared in enumerate((0, 2, 3)):
        whole = (offset + len(raw)) * 8 // 6
        yield base64.b64encode(bytes(offset) + raw).decode()[shared:whole]
