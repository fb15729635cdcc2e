"""nginx: `ssl_certificate` and `ssl_certificate_key` of every block."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import PurePosixPath

from worker.scan.daemons.daemon import Configured, Daemon, absolute, instances
from worker.scan.directive import Directive, beside, follow, read_braces
from worker.scan.files import Files
from worker.scan.owner import Owner

_DEFAULTS = ("/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf")
_OPTION = re.compile(r"(?<=\s)-c\s+(\S+)")
_PREFIX = re.compile(r"(?<=\s)-p\s+(\S+)")
_CHILD = re.compile(r"nginx: (?!master )")
_NO_FILE = ("data:", "engine:", "store:")


@dataclass(slots=True)
class _Block:
    """What one block names; the first certificate belongs to the first key, and so on."""

    certificates: list[Directive] = field(default_factory=list)
    keys: list[Directive] = field(default_factory=list)


def pick(
    directives: Iterable[Directive], base: str, tell: Callable[[str], None]
) -> Iterator[Configured]:
    """Return the certificates that directives name, paths relative to a base."""
    blocks = [_Block()]
    for directive in directives:
        if directive.closes and len(blocks) > 1:
            yield from _pairs(blocks.pop(), base, tell)
        elif directive.opens:
            blocks.append(_Block())
        elif directive.name == "ssl_certificate" and len(directive.words) > 1:
            blocks[-1].certificates.append(directive)
        elif directive.name == "ssl_certificate_key" and len(directive.words) > 1:
            blocks[-1].keys.append(directive)
    for block in blocks:
        yield from _pairs(block, base, tell)


def _pairs(block: _Block, base: str, tell: Callable[[str], None]) -> Iterator[Configured]:
    for certificate, key in zip_longest(block.certificates, block.keys):
        if certificate is None:
            continue
        path = certificate.words[1]
        if "$" in path or path.startswith(_NO_FILE):
            tell(f"{certificate.place}: ssl_certificate {path}: not known before it is used")
            continue
        named = key.words[1] if key else ""
        if "$" in named or named.startswith(_NO_FILE):
            named = ""
        key_path = beside(base, named) if named else ""
        yield Configured(beside(base, path), key_path, certificate.place)


def _read(files: Files, running: Sequence[Owner]) -> Iterator[Configured]:
    masters = [owner for owner in running if not _CHILD.match(owner.command_line)]
    for owner, paths in instances(masters, lambda master: _told(master, files), _DEFAULTS):
        for path in filter(files.exists, paths):
            base = str(PurePosixPath(path).parent)
            directives = follow(path, read_braces, _includes(base), files)
            for each in pick(directives, base, files.tell):
                yield replace(each, owner=owner)


def _told(master: Owner, files: Files) -> list[str]:
    """Return the configuration a master was started with: it is relative to its prefix.

    Which prefix was built into nginx is not known.
    """
    prefixes = [found for found in _PREFIX.findall(master.command_line) if found.startswith("/")]
    paths = _OPTION.findall(master.command_line)
    return absolute(paths, prefixes[-1] if prefixes else "", master, files)


def _includes(base: str) -> Callable[[Directive], Iterable[str]]:
    def included(directive: Directive) -> Iterable[str]:
        if directive.name == "include" and len(directive.words) > 1:
            yield beside(base, directive.words[1])

    return included


_PROGRAMS = frozenset({"nginx", "openresty", "angie"})

NGINX = Daemon("nginx", _PROGRAMS, _read, tells_owner=True)
