"""The word of presence: what a courier answers to the dispatcher's question, unsigned.

The courier has no key. Whoever can read a host's queue can answer for it, so a word is a hint and
moves nothing but what is shown as one.
"""

import re
from typing import Annotated

import msgspec

from contract.error import DenreiError

MAX_WORD = 1000  # characters
SKEW_MS = 60_000  # a clock that differs by more makes orders be refused

_Nonce = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
_Host = Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
_Moment = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]  # ms since 1970, UTC
_Letters = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
_NONCE = re.compile(r"[0-9a-f]{32}")


class PresenceError(DenreiError):
    """A text is no word of presence."""


class PresenceWord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a courier says of itself and of what it can see of its executor."""

    host: _Host
    nonce: _Nonce  # of the question
    at: _Moment  # by the host's clock
    worker: Annotated[str, msgspec.Meta(max_length=50)]  # the version
    inbox: _Letters  # letters that the executor has not taken
    outbox: _Letters  # letters that wait to be sent or acknowledged
    taking: bool  # whether the executor seems to take letters


def is_question(text: str) -> bool:
    """Tell whether the text of a ping can be answered."""
    return bool(_NONCE.fullmatch(text))


def encode_word(word: PresenceWord) -> bytes:
    """Return the word as it travels."""
    return msgspec.json.encode(word)


def decode_word(text: str) -> PresenceWord:
    """Read a word of presence. Raises PresenceError, whatever the text."""
    if len(text) > MAX_WORD:
        raise PresenceError(f"longer than {MAX_WORD} characters")
    try:
        return msgspec.json.decode(text, type=PresenceWord)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise PresenceError(f"not a word of presence: {error}") from None
