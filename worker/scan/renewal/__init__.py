"""The tools that renew certificates: which file each looks after, and whether it is started."""

from collections.abc import Callable, Iterable, Sequence

from worker.certificate.description import Certificate
from worker.scan.files import Files
from worker.scan.renewal.acme_sh import acme_sh
from worker.scan.renewal.certbot import certbot
from worker.scan.renewal.dehydrated import dehydrated
from worker.scan.renewal.step import step
from worker.scan.renewal.tool import Renewed, Tool

__all__ = ["TOOLS", "ReadLeaf", "Renewals", "Renewed"]

ReadLeaf = Callable[[str], Certificate | None]

TOOLS: tuple[Tool, ...] = (certbot, acme_sh, step, dehydrated)


class Renewals:
    """Tells which tool renews a file: its own file, one linked to it, or a copy of it."""

    def __init__(
        self, renewed: Iterable[Renewed], leaf: Callable[[str], Certificate | None]
    ) -> None:
        """Learn what all tools look after; `leaf` reads a certificate."""
        self._renewed = list(renewed)
        self._leaf = leaf

    def of(self, path: str, files: Files) -> str:
        """Return the tool of a file, and whether nothing starts it; empty if none is known."""
        real = files.real(path)
        for each in self._renewed:
            if real in [files.real(own) for own in each.paths]:
                return _show(each)
        leaf = self._leaf(path)
        copies = [each for each in self._renewed if leaf and leaf in self._leaves(each.paths)]
        return _show(copies[0]) if copies else ""

    def _leaves(self, paths: Sequence[str]) -> list[Certificate | None]:
        return [self._leaf(path) for path in paths]


def _show(renewed: Renewed) -> str:
    return renewed.tool if renewed.scheduled else f"{renewed.tool}, not scheduled"
