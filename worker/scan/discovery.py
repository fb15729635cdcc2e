"""The certificates in use on this host: its ports and its daemons' files, put together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from worker.certificate.description import Certificate
from worker.certificate.reading import read_certificate
from worker.certificate.witness import Held
from worker.observations.glob import is_pattern
from worker.root import Root
from worker.scan.daemons import DAEMONS, Configured
from worker.scan.files import Files
from worker.scan.joining import CertificateFile, Use, join, names_to_ask
from worker.scan.listener import listeners
from worker.scan.owner import Owners, find_owners
from worker.scan.port import Asked, ask_names, ask_ports, find_ports
from worker.scan.renewal import TOOLS, ReadLeaf, Renewals

_LONGEST_PATH = 4000  # that a report may tell of


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be looked at."""

    paths: tuple[str, ...] = ()  # files or patterns beside those that are found
    ports: bool = True
    configurations: bool = True
    timeout: str = "30s"  # for all together


@dataclass(frozen=True, slots=True)
class Found:
    """A certificate in use, and the tool that renews its file."""

    use: Use
    renewal: str = ""


@dataclass(frozen=True, slots=True)
class Discovery:
    """All that was found, and what could not be looked at, a sentence each."""

    found: tuple[Found, ...]
    problems: tuple[str, ...]
    silent: tuple[str, ...]  # ports that answered nothing, and so are taken for plain text


def discover(wishes: Wishes, root: Root, deadline: float) -> Discovery:
    """Find the certificates in use on a host, without a change to it. It ends at a deadline."""
    files, owners = Files(root), find_owners(root)
    leaf = cache(lambda path: _leaf(root.locate(path)))
    known = list(_configured(files, owners, leaf)) if wishes.configurations else []
    named = {file.path for file in known}
    known += [file for file in _given(wishes.paths, files, leaf) if file.path not in named]
    asked = _ports(owners, root, deadline) if wishes.ports else Asked()
    ask_names(list(names_to_ask(known, asked.tls)), root, deadline)
    renewals = Renewals([each for tool in TOOLS for each in tool(files)], leaf)
    found = tuple(_with_renewal(use, renewals, files) for use in join(known, asked.tls))
    hidden = [
        f"{p.address}: speaks TLS and showed no certificate" for p in asked.tls if not p.shown
    ]
    problems = (*asked.problems, *hidden, *files.problems)
    return Discovery(found, problems, tuple(asked.silent))


def _leaf(path: Path) -> Certificate | None:
    held = read_certificate(path)
    return held.leaf if isinstance(held, Held) else None


def _configured(files: Files, owners: Owners, leaf: ReadLeaf) -> Iterator[CertificateFile]:
    for daemon in DAEMONS:
        running = [owner for owner in owners.running if daemon.runs_as(owner)]
        seen: dict[str, Configured] = {}
        for each in daemon.read(files, running):
            if len(each.path) > _LONGEST_PATH:
                files.tell(f"{each.place}: not looked at, the path is too long")
            else:
                seen.setdefault(each.path, each)
        first = running[0] if running and not daemon.tells_owner else None
        for path, each in seen.items():
            yield CertificateFile(each, leaf(path), daemon, each.owner or first)


def _given(paths: Sequence[str], files: Files, leaf: ReadLeaf) -> Iterator[CertificateFile]:
    for pattern in paths:
        fitting = files.expand(pattern) if is_pattern(pattern) else [pattern]
        if not fitting:
            files.tell(f"{pattern}: no file fits")
        for path in fitting:
            if not files.is_directory(path):
                yield CertificateFile(Configured(path), leaf(path))


def _ports(owners: Owners, root: Root, deadline: float) -> Asked:
    others = [each for each in listeners() if each.inode not in owners.our_own]
    if not root.is_whole:
        others = [each for each in others if each.inode in owners.by_inode]
    return ask_ports(list(find_ports(others, owners.by_inode)), root, deadline)


def _with_renewal(use: Use, renewals: Renewals, files: Files) -> Found:
    return Found(use, renewals.of(use.file.path, files) if use.file else "")
