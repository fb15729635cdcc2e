"""Modules that a library imports and that nobody here ever uses: loaded when somebody does."""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class Deferred(ModuleType):
    """Stands in a module's place until the first of its names is asked for."""

    def __getattr__(self, name: str) -> Any:
        """Load the module, be like it from now on, and give what was asked for."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = import_module(self.__name__)
        self.__dict__.update(vars(module))
        return getattr(module, name)


def defer(name: str) -> None:
    """Let a module be loaded by its first use instead of its first import.

    Of a package below another one (`redis.asyncio`) the modules can be imported without it.
    """
    if name in sys.modules:
        return
    module = Deferred(name)
    above, _, below = name.rpartition(".")
    if above and (spec := find_spec(above)) and spec.submodule_search_locations:
        module.__path__ = [f"{place}/{below}" for place in spec.submodule_search_locations]
    sys.modules[name] = module
