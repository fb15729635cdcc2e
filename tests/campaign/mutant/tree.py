"""A copy of the source tree, in which tests run against changed code."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.campaign.mutant.mutant import Mutant

ROOT = Path(__file__).resolve().parents[3]
PASSED, FAILED = 0, 1  # pytest's exit codes; with any other one the tests did not run

_PATIENCE_S = 300.0
_PACKAGES = ("contract", "orchestrator", "tests", "worker")
_WHERE = f"import {', '.join(_PACKAGES)}; print({', '.join(f'{p}.__file__' for p in _PACKAGES)})"


class TreeError(Exception):
    """The copy can't be used: what it shows would be about something else."""


class Tree:
    """One copy; its changes are undone after each use."""

    def __init__(self, directory: Path) -> None:
        """Copy all that git knows, as it stands. Raises TreeError."""
        self.root = directory.resolve() / "tree"
        for name in _tracked():
            target = self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        self._check_imports()

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """Have the mutant's change in the tree for a while. Raises MovedError."""
        path = self.root / mutant.file
        original = path.read_text()
        changed = mutant.apply(original)
        # What was compiled from the file before could pass for the changed one.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
        path.write_text(changed)
        try:
            yield
        finally:
            path.write_text(original)

    def test(self, names: Sequence[str], *, may_compile: bool = False) -> tuple[int, str]:
        """Run tests in the tree; return pytest's exit code and its last lines."""
        command = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=line"]
        command += [f"--basetemp={self.root.parent / 'tmp'}", *names]
        ended = self._python(*command, cwd=self.root, may_compile=may_compile)
        return ended.returncode, "\n".join((ended.stdout + ended.stderr).splitlines()[-5:])

    def _check_imports(self) -> None:
        """See that the copy is what is imported, also by a console script started elsewhere."""
        told = self._python("-c", _WHERE, cwd=Path("/")).stdout.split()
        if len(told) != len(_PACKAGES) or not all(
            Path(name).is_relative_to(self.root) for name in told
        ):
            raise TreeError(f"code is imported from {', '.join(told)}, not from {self.root}")

    def _python(
        self, *arguments: str, cwd: Path, may_compile: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PYTHONPATH": str(self.root), "CI": "1"}
        if not may_compile:
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
