"""Takes secret values out of what a host reports or logs, in their plain and common forms."""

import base64
import json
import shlex
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

MASK = "[secret]"


class Redactor:
    """Replaces the secrets of one order wherever they appear."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Work out the forms: plain, base64, hex, URL, JSON and shell quoting."""
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
    raw = secret.encode()
    yield secret
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield raw.hex()
    yield raw.hex().upper()
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield shlex.quote(secret)
