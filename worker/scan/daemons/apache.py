"""Apache: `SSLCertificateFile` and `SSLCertificateKeyFile` of every section."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest

from worker.scan.daemons.daemon import Configured, Daemon
from worker.scan.directive import Directive, beside, follow, read_lines
from worker.scan.files import Files
from worker.scan.owner import Owner

_STARTS = (
    ("/etc/apache2/apache2.conf", "/etc/apache2"),
    ("/etc/httpd/conf/httpd.conf", "/etc/httpd"),
)
_INCLUDE = ("include", "includeoptional")
_CERTIFICATE, _KEY = "sslcertificatefile", "sslcertificatekeyfile"
_HOST = ("<virtualhost", "</virtualhost>")


def pick(
    directives: Iterable[Directive], base: str, tell: Callable[[str], None]
) -> Iterator[Configured]:
    """Return the certificates that directives name, paths relative to a base."""
    certificates: list[Directive] = []
    keys: list[Directive] = []
    for directive in directives:
        name = directive.name.lower()
        if name in _HOST:
            yield from _pairs(certificates, keys, base, tell)
            certificates, keys = [], []
        elif name == _CERTIFICATE and len(directive.words) > 1:
            certificates.append(directive)
        elif name == _KEY and len(directive.words) > 1:
            keys.append(directive)
    yield from _pairs(certificates, keys, base, tell)


def _pairs(
    certificates: list[Directive], keys: list[Directive], base: str, tell: Callable[[str], None]
) -> Iterator[Configured]:
    for certificate, key in zip_longest(certificates, keys):
        if certificate is None:
            continue
        path = certificate.words[1]
        if _is_no_path(path):
            tell(f"{certificate.place}: SSLCertificateFile {path}: not understood")
            continue
        named = key.words[1] if key and not _is_no_path(key.words[1]) else ""
        key_path = beside(base, named) if named else ""
        yield Configured(beside(base, path), key_path, certificate.place)


def _is_no_path(text: str) -> bool:
    """Tell whether it has a variable, or a macro's parameter, or names no file at all."""
    return "$" in text or "%" in text or text.startswith("pkcs11:")


def _read(files: Files, _running: Sequence[Owner]) -> Iterator[Configured]:
    for path, base in _STARTS:
        if files.exists(path):
            included = _includes(base, files.tell)
            yield from pick(follow(path, read_lines, included, files), base, files.tell)


def _includes(base: str, tell: Callable[[str], None]) -> Callable[[Directive], Iterable[str]]:
    def included(directive: Directive) -> Iterable[str]:
        if directive.name.lower() not in _INCLUDE or len(directive.words) == 1:
            return
        if "${" in directive.words[1]:
            tell(f"{directive.place}: Include {directive.words[1]}: not followed")
            return
        yield beside(base, directive.words[1])

    return included


APACHE = Daemon("apache2", frozenset({"apache2", "httpd"}), _read)
