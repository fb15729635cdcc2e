"""HAProxy: the files, directories and lists behind `crt` and `crt-list` of `bind` lines."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from worker.scan.daemons.daemon import Configured, Daemon, absolute, instances
from worker.scan.directive import Directive, beside, follow, read_lines, split_words
from worker.scan.files import Files
from worker.scan.owner import Owner

_DEFAULT = "/etc/haproxy/haproxy.cfg"
_OPTION = re.compile(r"(?<=\s)-f\s+(\S+)")
_BESIDES = (".key", ".ocsp", ".issuer", ".sctl", ".dh")  # files that stand beside a certificate
_BUNDLE = (".rsa", ".ecdsa", ".dsa")
_WITH_KEY = b"PRIVATE KEY-----"


def pick(directives: Iterable[Directive], base: str) -> Iterator[tuple[str, Directive]]:
    """Return each certificate that a bind line or a store names."""
    return ((beside(base, path), each) for path, each in _named("crt", directives))


def base_of(directives: Iterable[Directive]) -> str:
    """Return the directory to which certificates are relative."""
    found = [each.words[1] for each in directives if each.name == "crt-base" and each.words[1:]]
    return found[-1] if found else ""


def _named(kind: str, directives: Iterable[Directive]) -> Iterator[tuple[str, Directive]]:
    for each in directives:
        if each.name in ("bind", "load"):
            for word, path in zip(each.words[1:], each.words[2:], strict=False):
                if word == kind:
                    yield path, each


def listed(text: str) -> Iterator[str]:
    """Return the certificates of a crt-list."""
    for line in text.splitlines():
        words = split_words(line)
        if words:
            yield words[0]


def _read(files: Files, running: Sequence[Owner]) -> Iterator[Configured]:
    for owner, paths in instances(running, lambda owner: _told(owner, files), [_DEFAULT]):
        for each in _of_instance(paths, owner.directory if owner else "", files):
            yield replace(each, owner=owner)


def _told(owner: Owner, files: Files) -> list[str]:
    """Return the configurations a process was started with, relative to where it works."""
    return absolute(_OPTION.findall(owner.command_line), owner.directory, owner, files)


def _of_instance(paths: Iterable[str], directory: str, files: Files) -> Iterator[Configured]:
    directives = [
        directive
        for path in _files(paths, files)
        for directive in follow(path, read_lines, lambda _directive: (), files)
    ]
    base = base_of(directives) or directory
    for path, directive in [*pick(directives, base), *_of_lists(directives, base, files)]:
        if "$" in path:
            files.tell(f"{directive.place}: crt {path}: variables are not followed")
        elif not path.startswith("/"):
            files.tell(f"{directive.place}: crt {path}: relative to nothing known")
        else:
            yield from _of_path(path, directive, files)


def _files(paths: Iterable[str], files: Files) -> Iterator[str]:
    for path in paths:
        if files.is_directory(path):
            yield from files.expand(f"{path}/*.cfg")
        elif files.exists(path):
            yield path


def _of_lists(
    directives: Iterable[Directive], base: str, files: Files
) -> Iterator[tuple[str, Directive]]:
    for path, directive in _named("crt-list", directives):
        text = files.text(path)
        if text is None:
            files.tell(f"{directive.place}: crt-list {path}: can't be read")
        for each in listed(text or ""):
            yield beside(base, each), directive


def _of_path(path: str, directive: Directive, files: Files) -> Iterator[Configured]:
    if files.is_directory(path):
        for below in files.expand(f"{path}/*"):
            if not below.endswith(_BESIDES) and not files.is_directory(below):
                yield Configured(below, _key(below, files), directive.place)
        return
    bundle = [f"{path}{kind}" for kind in _BUNDLE]
    kinds = [] if files.exists(path) else [each for each in bundle if files.exists(each)]
    for each in kinds or [path]:
        yield Configured(each, _key(each, files), directive.place)


def _key(path: str, files: Files) -> str:
    """Return the file with the key: the certificate's own, or the one beside it."""
    if _WITH_KEY in (files.data(path) or b""):
        return path
    beside_it = [f"{path}.key", str(PurePosixPath(path).with_suffix(".key"))]
    return next((each for each in beside_it if files.exists(each)), "")


HAPROXY = Daemon("haproxy", frozenset({"haproxy"}), _read, tells_owner=True)
