"""The project's own source as data: its modules, and who imports whom."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, its place and its syntax tree."""

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(), str(self.path))

    @cached_property
    def lines(self) -> int:
        return len(self.path.read_text().splitlines())

    @property
    def package(self) -> str:
        """What a relative import in it starts from."""
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]

    def imports(self) -> Iterator[str]:
        """Every dotted name that an import of it could mean, at run time and anywhere in it."""
        for node in run_time_nodes(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        above = self.package.split(".")
        kept = above[: len(above) - node.level + 1]
        return ".".join([*kept, *([node.module] if node.module else [])])


def run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from run_time_nodes(node)


@dataclass(frozen=True)
class SourceTree:
    """The packages of a project below one folder."""

    root: Path
    packages: tuple[str, ...]

    @cached_property
    def modules(self) -> dict[str, Module]:
        found = {}
        for package in self.packages:
            for path in sorted((self.root / package).rglob("*.py")):
                parts = path.relative_to(self.root).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                found[name] = Module(name, path)
        return found

    def reach(self, start: str) -> dict[str, str]:
        """Everything that importing `start` may load, each with the module that asks for it."""
        reached: dict[str, str] = {}
        waiting = [(start, start)]
        while waiting:
            name, asker = waiting.pop()
            for loaded in prefixes(name):
                if loaded not in reached:
                    reached[loaded] = asker
                    if loaded in self.modules:
                        waiting += ((wanted, loaded) for wanted in self.modules[loaded].imports())
        return reached


def prefixes(name: str) -> list[str]:
    """`a.b.c` loads `a` and `a.b` first."""
    parts = name.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]
