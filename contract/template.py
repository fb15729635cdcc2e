"""Text with `${name.field}` in it: one pass, no logic, unknown names are errors."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from contract.error import DenreiError

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][\w]*\.[A-Za-z_][\w]*")

Tree = Any  # what JSON can hold: the arguments of an observation or an action


class TemplateError(DenreiError):
    """A `${…}` names nothing, or would put an option where a value belongs."""


def references(tree: Tree) -> frozenset[str]:
    """Return the names inside every `${…}` of a text, or of all texts of a tree."""
    if isinstance(tree, str):
        return frozenset(name for name in _REFERENCE.findall(tree) if name)
    if isinstance(tree, Mapping):
        return frozenset().union(*map(references, tree.values()))
    if isinstance(tree, (list, tuple)):
        return frozenset().union(*map(references, tree))
    return frozenset()


def check(text: str, names: Collection[str]) -> str | None:
    """Return what is wrong with the `${…}` of a text, if anything."""
    for found in _REFERENCE.finditer(text):
        name = found[1]
        if name is None:
            continue
        if not _NAME.fullmatch(name):
            return f"${{{name}}} is not a name; write ${{params.x}} or ${{item.field}}"
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            return f"${{{name}}} is unknown here; known are: {known}"
    return None


def render(tree: Tree, values: Mapping[str, Any]) -> Tree:
    """Put the values in place of every `${…}`, in one pass over a text or a tree.

    Raises TemplateError for an unknown name.
    """
    if isinstance(tree, str):
        if "${" not in tree:
            return tree
        look_up = _look_up(values)
        return _REFERENCE.sub(lambda found: _show(look_up(found)), tree)
    if isinstance(tree, Mapping):
        return {key: render(child, values) for key, child in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [render(child, values) for child in tree]
    return tree


def render_argument(text: str, values: Mapping[str, Any]) -> str:
    """Render one word of a command line; a value may not turn it into an option.

    Raises TemplateError, also for a NUL, which no command line can carry.
    """
    word = str(render(text, values))
    if word.startswith("-") and not text.startswith("-"):
        raise TemplateError(f"{text!r} became {word!r}, which a program would take for an option")
    if "\0" in word:
        raise TemplateError(f"{text!r} got a NUL character")
    return word


def render_arguments(arguments: Mapping[str, Tree], values: Mapping[str, Any]) -> dict[str, Tree]:
    """Render the arguments of an observation or an action; `argv` word by word.

    A word that is a whole command (a tuple) stands for all of its words.

    Raises TemplateError.
    """
    rendered: dict[str, Tree] = {}
    for name, tree in arguments.items():
        if name == "argv" and isinstance(tree, list):
            rendered[name] = [word for text in tree for word in _words(str(text), values)]
        else:
            rendered[name] = render(tree, values)
    return rendered


def is_reference(text: str) -> bool:
    """Tell whether a text is one `${…}` and nothing else."""
    found = _REFERENCE.fullmatch(text)
    return bool(found and found[1])


def _words(text: str, values: Mapping[str, Any]) -> list[str]:
    """Return the words that one stands for: those of a command, where it is nothing but that."""
    found = _REFERENCE.fullmatch(text)
    value = values.get(found[1] or "") if found else None
    return list(value) if isinstance(value, tuple) else [render_argument(text, values)]


def _look_up(values: Mapping[str, Any]) -> Callable[[re.Match[str]], Any]:
    def value(found: re.Match[str]) -> Any:
        if found[1] is None:
            return "${"
        if found[1] not in values:
            raise TemplateError(f"${{{found[1]}}} is unknown here")
        return values[found[1]]

    return value


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
