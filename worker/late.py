"""A table of functions, each of a module that is imported when it is first asked for."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TypeVar

T = TypeVar("T")


class Late(Mapping[str, T]):
    """Names, and where what they stand for is written: `package.module:function`.

    A host's runbooks use a few of the kinds, and it pays in memory for those only.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        """Keep the table; nothing is imported yet."""
        self._places = places
        self._found: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        """Return what a name stands for. Raises KeyError."""
        if name not in self._found:
            module, _, function = self._places[name].partition(":")
            self._found[name] = getattr(import_module(module), function)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        """Give the names."""
        return iter(self._places)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._places)
