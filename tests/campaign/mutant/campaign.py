"""The mutant campaign: every mutant must die of the tests that are named for it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

from tests.campaign.campaign import Scale, Tally
from tests.campaign.mutant.mutant import MovedError, Mutant
from tests.campaign.mutant.table import MUTANTS
from tests.campaign.mutant.tree import FAILED, PASSED, Tree

_AT_ONCE = 2
_SHARE = {Scale.SMOKE: 16, Scale.QUICK: 2, Scale.FULL: 1}  # one of so many; the seed tells which
_MEMORY = Path("/dev/shm")  # noqa: S108 - a campaign has a directory of its own in there


def mutants(scale: Scale, seed: int) -> Tally:
    """Break each promise in a copy of the tree; a test suite that does not notice is broken."""
    share = _SHARE[scale]
    return kill(MUTANTS[seed % share :: share])


def kill(chosen: Sequence[Mutant]) -> Tally:
    """Let the named tests run without and with each change."""
    with ExitStack() as stack:
        trees: Queue[Tree] = Queue()
        for _ in range(_AT_ONCE):
            memory = _MEMORY if _MEMORY.is_dir() else None
            trees.put(Tree(Path(stack.enter_context(TemporaryDirectory(dir=memory)))))
        if problem := _unchanged(chosen, trees):
            return Tally({"mutants_killed": 0}, (problem,))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            problems = list(pool.map(lambda mutant: _survival(mutant, trees), chosen))
    violations = tuple(problem for problem in problems if problem)
    return Tally({"mutants_killed": len(chosen) - len(violations)}, violations)


def _unchanged(chosen: Sequence[Mutant], trees: "Queue[Tree]") -> str:
    """See that the tests pass as long as nothing is changed; else their failing shows nothing."""
    names = sorted({name for mutant in chosen for name in mutant.killers})
    tree = trees.get()
    code, words = tree.test(names, may_compile=True)
    trees.put(tree)
    return "" if code == PASSED else f"the tests fail without any mutant:\n{words}"


def _survival(mutant: Mutant, trees: "Queue[Tree]") -> str:
    """Return how a mutant got away; nothing if it was killed."""
    tree = trees.get()
    try:
        with tree.mutated(mutant):
            code, words = tree.test(mutant.killers)
    except MovedError as error:
        return str(error)
    finally:
        trees.put(tree)
    if code == PASSED:
        return f"the mutant {mutant.name!r} survives {', '.join(mutant.killers)}"
    return "" if code == FAILED else f"the mutant {mutant.name!r}: its tests did not run:\n{words}"
