"""Postfix: the certificates of its SMTP server, in main.cf and in the overrides of master.cf."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from worker.scan.daemons.daemon import Configured, Daemon
from worker.scan.directive import Directive
from worker.scan.files import Files
from worker.scan.owner import Owner

_MAIN = ("/etc/postfix/main.cf", "/etc/postfix-*/main.cf")
_PAIRS = (
    ("smtpd_tls_cert_file", "smtpd_tls_key_file"),
    ("smtpd_tls_eccert_file", "smtpd_tls_eckey_file"),
    ("smtpd_tls_dcert_file", "smtpd_tls_dkey_file"),
)
_CHAINS = "smtpd_tls_chain_files"  # outweighs the pairs
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|\((\w+)\)|(\w+))")
_OVERRIDE = re.compile(r"-o\s+(?:\{\s*)?(smtpd_tls_\w+)\s*=\s*([^\s}]+)")
_LONGEST = 10_000  # text with variables
_DEEPEST = 10  # variables within variables

Settings = Mapping[str, Directive]


def read_main(text: str, file: str) -> Iterator[Directive]:
    """Read main.cf: `name = value`; a line that begins with a space goes on."""
    for number, line in _logical_lines(text):
        name, equals, value = line.partition("=")
        if equals and name.strip():
            yield Directive((name.strip(), value.strip()), file, number)


def read_master(text: str, file: str) -> Iterator[list[Directive]]:
    """Return for each service of master.cf the settings of TLS that it overrides."""
    for number, line in _logical_lines(text):
        found = [Directive(tuple(each), file, number) for each in _OVERRIDE.findall(line)]
        if found:
            yield found


def pick(settings: Settings, tell: Callable[[str], None]) -> Iterator[Configured]:
    """Return the certificates that settings name."""
    chains = _value(_CHAINS, settings, tell).replace(",", " ").split()
    for path in chains:
        if _is_whole(path, settings[_CHAINS], tell):
            yield Configured(path, path, settings[_CHAINS].place)
    for certificate, key in () if chains else _PAIRS:
        path = _value(certificate, settings, tell)
        if path and _is_whole(path, settings[certificate], tell):
            named = _value(key, settings, tell) or path  # Postfix looks for the key there, too
            yield Configured(path, named, settings[certificate].place)


def _is_whole(path: str, setting: Directive, tell: Callable[[str], None]) -> bool:
    if not path.startswith("/"):
        tell(f"{setting.place}: {setting.name} {path[:200]}: relative to nothing known")
    return path.startswith("/")


def _value(name: str, settings: Settings, tell: Callable[[str], None]) -> str:
    if name not in settings:
        return ""
    text = settings[name].words[1]
    for _ in range(_DEEPEST):
        if len(text) > _LONGEST:
            break
        text = _VARIABLE.sub(lambda found: _replacement(found, settings), text)
    if "$" in text:
        tell(f"{settings[name].place}: {name} = {settings[name].words[1][:200]}: not understood")
        return ""
    return "" if text == "none" else text


def _replacement(found: re.Match[str], settings: Settings) -> str:
    known = settings.get(found[1] or found[2] or found[3])
    return known.words[1][:1000] if known else found[0]


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    held, begun = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and held:
            held += " " + line.strip()
            continue
        if held:
            yield begun, held
        held, begun = line.strip(), number
    if held:
        yield begun, held


def _read(files: Files, _running: Sequence[Owner]) -> Iterator[Configured]:
    for path in [path for pattern in _MAIN for path in files.expand(pattern)]:
        settings = {each.name: each for each in read_main(files.text(path) or "", path)}
        yield from pick(settings, files.tell)
        master = str(PurePosixPath(path).with_name("master.cf"))
        for overrides in read_master(files.text(master) or "", master):
            yield from pick(settings | {each.name: each for each in overrides}, files.tell)


POSTFIX = Daemon("postfix", frozenset({"master", "smtpd"}), _read)
