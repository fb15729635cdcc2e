"""Modules that a library imports and that nobody here ever uses: loaded when somebody does."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class Deferred(ModuleType):
    """Stands in a module's place until the first of its names is asked for."""

    def __getattr__(self, name: str) -> Any:
        """Load the module, be like it from now on, and give what was asked for."""
        if name == "__path__":  # asked by each `from … import`; a package would have it by now
            raise AttributeError(name)
        return getattr(self.loaded(), name)

    def loaded(self) -> ModuleType:
        """Return the real module; from now on we are like it."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = import_module(self.__name__)
        self.__dict__.update(vars(module))
        return module


def defer(name: str, *taken: str) -> None:
    """Let a module be loaded by its first use instead of its first import.

    `taken` are names that a library takes from it at once. A function stands for each of them: it
    loads the module when it is called, and does for a class that is only mentioned in annotations.
    Of a package below another one (`redis.asyncio`) the modules can be imported without it.
    """
    if name in sys.modules:
        return
    module = Deferred(name)
    if places := _places_of(name):
        module.__path__ = places
    for each in taken:
        setattr(module, each, _standing_for(module, each))
    sys.modules[name] = module


def defer_but(name: str, source: ModuleType, *shared: str) -> None:
    """Defer a module, but for names that another one has as well: taking those loads nothing."""
    defer(name)
    module = sys.modules[name]
    if isinstance(module, Deferred):
        for each in shared:
            setattr(module, each, getattr(source, each))


def _places_of(name: str) -> list[str]:
    """Return where a package's own modules lie; nothing if there is no package of the name."""
    above, _, below = name.rpartition(".")
    spec = find_spec(above or name)  # of the package itself, it would load what is above
    places = (spec and spec.submodule_search_locations) or []
    return [f"{place}/{below}" if above else place for place in places]


def _standing_for(module: Deferred, name: str) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(module.loaded(), name)(*arguments, **options)

    return call
