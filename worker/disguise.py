"""The forms in which a program may print a secret that it was given.

Exact ones only: what a tool prints in parts, compressed or encrypted is not recognised. For such a
tool there is `output: discard`.
"""

import base64
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from contract.parameter import MIN_SECRET_CHARACTERS

_ESCAPE = re.compile("%[0-9A-F]{2}")
_URL_SAFE = str.maketrans("+/", "-_")
_LEFT_BY_JAVASCRIPT = ("!'()*~", "!'()*~;,/?:@&=+$#")  # encodeURIComponent, encodeURI
_NOT_IN_A_WORD = re.compile(r"[^A-Za-z0-9_@%+=:,./-]")
_SPECIAL_IN_QUOTES = re.compile(r'["\\$`]')
_LINES = (76, 64)  # characters of a line of base64, in MIME and in PEM
_SHORTEST_PIECE = 8  # characters of one such line that are worth looking for


def disguises(secret: str) -> frozenset[bytes]:
    """Return every form of a secret to look for: of the whole, and of each of its lines."""
    # A tool may print one line of a key, or a password without the line break behind it.
    lines = (line.strip() for line in secret.splitlines())
    wholes = {secret, *(line for line in lines if len(line) >= MIN_SECRET_CHARACTERS)}
    texts = {form for whole in wholes for form in _texts(whole)}
    return frozenset({text.encode() for text in texts} | {raw for w in wholes for raw in _raw(w)})


def _raw(secret: str) -> Iterator[bytes]:
    """Yield the secret as a tool with an old character set writes it."""
    try:
        yield secret.encode("latin-1")
    except UnicodeEncodeError:
        return


def _texts(secret: str) -> Iterator[str]:
    yield secret
    yield from _hexadecimal(secret.encode())
    yield from _in_urls(secret)
    yield from _in_json(secret)
    yield from _in_python(secret)
    yield from _in_shells(secret)
    yield from _in_markup(secret)
    for text in _base64(secret.encode()):
        yield from (text, text.translate(_URL_SAFE), quote(text, safe=""))


def _hexadecimal(raw: bytes) -> Iterator[str]:
    for text in (raw.hex(), raw.hex(" "), raw.hex(":")):
        yield from (text, text.upper())


def _in_urls(secret: str) -> Iterator[str]:
    urls = [quote(secret, safe=safe) for safe in ("", "/", *_LEFT_BY_JAVASCRIPT)]
    every = "".join(f"%{byte:02X}" for byte in secret.encode())
    for url in (*urls, quote_plus(secret), every):
        yield from (url, _ESCAPE.sub(lambda found: found[0].lower(), url))


def _in_json(secret: str) -> Iterator[str]:
    for is_ascii in (True, False):
        text = json.dumps(secret, ensure_ascii=is_ascii)[1:-1]
        yield from (text, text.replace("/", r"\/"), *_fit_for_a_page(text))


def _fit_for_a_page(text: str) -> Iterator[str]:
    """Yield JSON with its signs of markup escaped: Go, Jinja and PHP differ in which, and how."""
    forms = {text}
    for sign in "<>&'":
        code = f"{ord(sign):04x}"
        forms |= {form.replace(sign, f"\\u{way}") for form in forms for way in (code, code.upper())}
    yield from forms


def _in_python(secret: str) -> Iterator[str]:
    """Yield what stands between the quotes, whichever those are."""
    yield from (repr(secret)[1:-1], ascii(secret)[1:-1], repr(secret.encode())[2:-1])
    # Behind both kinds of quote, the single ones are escaped.
    yield repr(secret + "'\"")[1:-1].removesuffix("\\'\"")
    yield secret.encode("unicode_escape").decode()


def _in_shells(secret: str) -> Iterator[str]:
    yield shlex.quote(secret)
    yield from (secret.replace("'", joint) for joint in ("'\"'\"'", r"'\''", "''"))
    yield _NOT_IN_A_WORD.sub(lambda found: "\\" + found[0], secret)
    yield _SPECIAL_IN_QUOTES.sub(lambda found: "\\" + found[0], secret)


def _in_markup(secret: str) -> Iterator[str]:
    import html  # with a table of two thousand names

    text = html.escape(secret)
    decimal = text.replace("&#x27;", "&#39;")
    yield from (text, html.escape(secret, quote=False), decimal)
    yield from (decimal.replace("&quot;", "&#34;"), text.replace("&#x27;", "&apos;"))


def _base64(raw: bytes) -> Iterable[str]:
    """Yield what is the same whatever stands before and behind, as in `user:password`."""
    yield base64.b64encode(raw).decode().rstrip("=")
    for offset, shared in enumerate((0, 2, 3)):
        whole = (offset + len(raw)) * 8 // 6
        yield base64.b64encode(bytes(offset) + raw).decode()[shared:whole]
    for ended in (raw, raw + b"\n"):
        yield from _base64_lines(base64.b64encode(ended).decode())


def _base64_lines(text: str) -> Iterator[str]:
    """Yield long base64 as tools break it, whole and line by line."""
    for width in _LINES:
        lines = [text[at : at + width] for at in range(0, len(text), width)]
        if len(lines) > 1:
            yield "\n".join(lines)
            yield from (line for line in lines if len(line) >= _SHORTEST_PIECE)
