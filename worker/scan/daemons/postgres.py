"""PostgreSQL: `ssl_cert_file` and `ssl_key_file` of every cluster that has `ssl` on."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from worker.observations.starttls import POSTGRES_PROGRAMS
from worker.scan.daemons.daemon import Configured, Daemon, absolute
from worker.scan.directive import Directive, beside, follow
from worker.scan.files import Files
from worker.scan.owner import Owner

_CLUSTERS = (
    "/etc/postgresql/*/*/postgresql.conf",  # Debian
    "/var/lib/pgsql/data/postgresql.conf",
    "/var/lib/pgsql/*/data/postgresql.conf",
)
_SETTING = re.compile(
    r"\s*+(?P<name>[A-Za-z_][\w.]*+)(?:\s*+=|\s)\s*+"
    r"(?:'(?P<quoted>(?:[^'\\]|''|\\.)*)'|(?P<bare>[^\s#']+))"
)
_DIRECTORY = re.compile(r"(?<=\s)-D\s*(\S+)")
_OPTION = re.compile(r"(?<=\s)(?:-c\s*|--)([A-Za-z_][\w.-]*)=(\S+)")
_CHILD = "postgres: "  # they work for a server and say so instead of how they were started
_ON = ("on", "true", "yes", "1", "t", "y", "tr", "tru", "ye")


def read_settings(text: str, file: str) -> Iterator[Directive]:
    """Read postgresql.conf: a name and a value a line."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _SETTING.match(line):
            yield Directive((found["name"].lower(), _value(found)), file, number)


def options(command_line: str) -> dict[str, str]:
    """Return the settings that a server was started with."""
    found = {name.replace("-", "_"): value for name, value in _OPTION.findall(command_line)}
    directory = _DIRECTORY.search(command_line)
    return ({"data_directory": directory[1]} if directory else {}) | found


def pick(settings: Mapping[str, Directive], directory: str, pid_file: str) -> Configured | None:
    """Return the certificate of a cluster, paths relative to its data directory."""
    if not _is_on(settings.get("ssl")):
        return None
    certificate, key = settings.get("ssl_cert_file"), settings.get("ssl_key_file")
    return Configured(
        beside(directory, certificate.words[1] if certificate else "server.crt"),
        beside(directory, key.words[1] if key else "server.key"),
        (certificate or settings["ssl"]).place,
        pid_file=pid_file,
    )


def _is_on(setting: Directive | None) -> bool:
    return setting is not None and setting.words[1].lower() in _ON


def _value(found: re.Match[str]) -> str:
    quoted = found["quoted"]
    return found["bare"] if quoted is None else re.sub(r"''|\\(.)", _unescape, quoted)


def _unescape(found: re.Match[str]) -> str:
    return found[1] or "'"


def _read(files: Files, running: Sequence[Owner]) -> Iterator[Configured]:
    done = set()
    for owner in (each for each in running if not each.command_line.startswith(_CHILD)):
        told = _started_with(owner, files)
        path = told.get("config_file") or f"{told.get('data_directory', '')}/postgresql.conf"
        if files.exists(path) and files.real(path) not in done:
            done.add(files.real(path))
            for each in _of_cluster(path, told, files):
                yield replace(each, owner=owner)
    for path in [path for pattern in _CLUSTERS for path in files.expand(pattern)]:
        if files.real(path) not in done:
            yield from _of_cluster(path, {}, files)


def _started_with(owner: Owner, files: Files) -> dict[str, str]:
    """Return a server's options, relative paths made whole.

    A server works in its data directory; where it was when it was started, it tells nobody.
    """
    told = options(owner.command_line)
    if not told.get("data_directory", "").startswith("/") and owner.directory:
        told["data_directory"] = owner.directory
    elif "data_directory" in told:
        told["data_directory"] = _known(told["data_directory"], owner, files)
    if "config_file" in told:
        told["config_file"] = _known(told["config_file"], owner, files)
    return {name: value for name, value in told.items() if value}


def _known(path: str, owner: Owner, files: Files) -> str:
    return "".join(absolute([path], "", owner, files))


def _of_cluster(path: str, told: Mapping[str, str], files: Files) -> Iterator[Configured]:
    settings = {each.name: each for each in follow(path, read_settings, _included, files)}
    named = told.get("data_directory")
    if named is None and "data_directory" in settings:
        named = settings["data_directory"].words[1]
    directory = named or str(PurePosixPath(path).parent)
    automatic = f"{directory}/postgresql.auto.conf"  # of ALTER SYSTEM: outweighs the file
    text = files.text(automatic)
    settings |= {each.name: each for each in read_settings(text or "", automatic)}
    settings |= {name: Directive((name, value), "command line", 1) for name, value in told.items()}
    pid_file = f"{directory}/postmaster.pid"
    if found := pick(settings, directory, pid_file if files.exists(pid_file) else ""):
        yield found


def _included(directive: Directive) -> Iterable[str]:
    """Return what a setting includes, relative to the file that it stands in."""
    named = beside(str(PurePosixPath(directive.file).parent), directive.words[1])
    if directive.name in ("include", "include_if_exists"):
        yield named
    elif directive.name == "include_dir":
        yield f"{named}/*.conf"


POSTGRES = Daemon("postgresql", POSTGRES_PROGRAMS, _read, tells_owner=True)
