"""Characters that act instead of being shown: on a terminal, in a log, in what a person reads."""

import re

# C0 and C1 controls, soft hyphen, bidirectional marks and overrides, zero-width characters, line
# separators, tags and lone surrogates: each could move, hide or reorder what a person reads.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


def spelt_out(text: str) -> str:
    """Return a text as one line in which every acting character is spelt out."""
    return text if text.isprintable() else _ACTING.sub(_spell, text)


def _spell(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
