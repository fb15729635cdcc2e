"""Dovecot: `ssl_cert` and `ssl_key` up to 2.3, `ssl_server_cert_file` and its like from 2.4 on."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from worker.scan.daemons.daemon import Configured, Daemon
from worker.scan.directive import Directive, beside, follow
from worker.scan.files import Files
from worker.scan.owner import Owner

_START = "/etc/dovecot/dovecot.conf"
_LINE = re.compile(r"(!?[\w/:.-]++)\s*+=?\s*+([^#]*+)(?:(?<=\s)#.*)?$")
_CERTIFICATES = ("ssl_cert", "ssl_alt_cert", "ssl_server_cert_file", "ssl_server_alt_cert_file")
_KEYS = ("ssl_key", "ssl_alt_key", "ssl_server_key_file", "ssl_server_alt_key_file")
_INCLUDE = ("!include", "!include_try")


@dataclass(slots=True)
class _Block:
    """The settings of a block; the last one of a name counts."""

    settings: dict[str, Directive] = field(default_factory=dict)


def read_settings(text: str, file: str) -> Iterator[Directive]:
    """Read `name = value`, `!include path`, and blocks `name { … }`."""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.partition(" #")[0].strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped == "}":
            yield Directive(("}",), file, number)
        elif stripped.endswith("{"):
            yield Directive((*stripped[:-1].split(), "{"), file, number)
        elif found := _LINE.match(stripped):
            yield Directive((found[1], found[2].rstrip().strip('"')), file, number)


def pick(directives: Iterable[Directive], tell: Callable[[str], None]) -> Iterator[Configured]:
    """Return the certificates that settings name, those of blocks too."""
    blocks = [_Block()]
    for directive in directives:
        if directive.closes and len(blocks) > 1:
            yield from _pairs(blocks.pop(), tell)
        elif directive.opens:
            blocks.append(_Block())
        elif not directive.closes:
            blocks[-1].settings[directive.name] = directive
    outermost = blocks[0].settings.get("ssl")
    if outermost is None or outermost.words[1] != "no":
        for block in blocks:
            yield from _pairs(block, tell)


def _pairs(block: _Block, tell: Callable[[str], None]) -> Iterator[Configured]:
    for certificate, key in zip(_CERTIFICATES, _KEYS, strict=True):
        if certificate in block.settings:
            directive = block.settings[certificate]
            path = _file(directive)
            if path:
                named = block.settings.get(key)
                yield Configured(path, _file(named) if named else "", directive.place)
            elif directive.words[1]:
                tell(f"{directive.place}: {certificate} names no file: not looked at")


def _file(directive: Directive) -> str:
    """Return the file that a setting reads; empty if its text is the certificate itself."""
    value = directive.words[1]
    path = value[1:].strip() if value.startswith("<") else value
    reads = value.startswith("<") or directive.name.endswith("_file")
    base = str(PurePosixPath(directive.file).parent)
    return beside(base, path) if reads and path and "$" not in path and "%" not in path else ""


def _included(directive: Directive) -> Iterable[str]:
    if directive.name in _INCLUDE:
        yield beside(str(PurePosixPath(directive.file).parent), directive.words[1])


def _read(files: Files, _running: Sequence[Owner]) -> Iterator[Configured]:
    if files.exists(_START):
        yield from pick(follow(_START, read_settings, _included, files), files.tell)


_LOGINS = ("imap-login", "pop3-login", "managesieve-login", "submission-login")

DOVECOT = Daemon("dovecot", frozenset({"dovecot", *_LOGINS}), _read)
