"""Takes secret values out of what a host reports or logs, in their plain and derived forms."""

from collections.abc import Iterable, Iterator
from typing import Any

from contract.parameter import MIN_SECRET_CHARACTERS
from worker.disguise import disguises

MASK = "[secret]"

_MASK = MASK.encode()


class RedactedStream:
    """Takes secrets out of bytes that come in pieces, wherever the pieces happen to end.

    What may be the beginning of a secret is held back until it is known. Forms that overlap are
    masked together, so that no rest of one stays.
    """

    def __init__(self, forms: Iterable[bytes]) -> None:
        """Look for these forms."""
        self._forms = tuple(forms)
        self._reach = max(map(len, self._forms), default=1) - 1
        self._held = b""
        self._masked = 0  # how much of the beginning of what is held was masked already

    def add(self, piece: bytes) -> bytes:
        """Take a piece; return what is settled by now, without secrets."""
        self._held += piece
        if len(self._held) < 2 * self._reach:  # looking at each byte of a slow stream would cost
            return b""
        return self._settle(len(self._held) - self._reach)

    def end(self) -> bytes:
        """Return the rest, without secrets."""
        return self._settle(len(self._held))

    def _settle(self, until: int) -> bytes:
        """Return what is held before a position; all forms that begin before it are complete."""
        settled, masked = bytearray(), self._masked
        for begin, end in sorted(self._found()):
            if begin >= until:
                break
            if begin >= masked:
                settled += self._held[masked:begin] + _MASK
            masked = max(masked, end)
        settled += self._held[masked:until]
        self._held = self._held[until:]
        self._masked = max(masked - until, 0)
        return bytes(settled)

    def _found(self) -> Iterator[tuple[int, int]]:
        for form in self._forms:
            at = self._held.find(form)
            while at >= 0:
                yield at, at + len(form)
                at = self._held.find(form, at + 1)


class Redactor:
    """Replaces the secrets of one order wherever they appear."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Work out the forms to look for."""
        # An empty secret is one that was not given; it stands between all characters.
        forms = {form for secret in secrets if secret for form in disguises(secret)}
        self.forms = tuple(sorted(forms))
        self._longest = max(map(len, self.forms), default=0)

    @property
    def has_secrets(self) -> bool:
        """Tell whether there is anything to take out."""
        return bool(self.forms)

    def stream(self) -> RedactedStream:
        """Begin a stream of bytes from which the secrets are taken out."""
        return RedactedStream(self.forms)

    def text(self, text: str) -> str:
        """Return the text without the secrets."""
        if not self.forms:
            return text
        stream = self.stream()
        settled = stream.add(text.encode(errors="backslashreplace")) + stream.end()
        return settled.decode(errors="backslashreplace")

    def tree(self, tree: Any) -> Any:
        """Return JSON-like data without the secrets, nor a piece of one where a text was cut."""
        if not self.forms:
            return tree
        if isinstance(tree, str):
            return self._without_piece(self.text(tree))
        if isinstance(tree, dict):
            return {self.tree(name): self.tree(child) for name, child in tree.items()}
        if isinstance(tree, list):
            return [self.tree(child) for child in tree]
        return tree

    def _without_piece(self, text: str) -> str:
        """Mask what a text ends with if a form begins so: an observation may have cut it."""
        data = text.encode(errors="backslashreplace")
        end = data[-self._longest :] if self._longest else b""
        found = (at for form in self.forms for at in _beginnings(form, end))
        at = min(found, default=None)
        if at is None:
            return text
        return (data[: len(data) - len(end) + at] + _MASK).decode(errors="backslashreplace")


def _beginnings(form: bytes, text: bytes) -> Iterator[int]:
    """Yield where a text turns into the beginning of a form, up to its own end."""
    at = text.find(form[:MIN_SECRET_CHARACTERS])
    while at >= 0:
        if form.startswith(text[at:]):
            yield at
        at = text.find(form[:MIN_SECRET_CHARACTERS], at + 1)


NO_SECRETS = Redactor(())
