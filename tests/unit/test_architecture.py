"""The shape of the house: who may import whom, and how large a thing may grow."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.source_tree import Module, SourceTree, prefixes

ROOT = Path(__file__).parents[2]
PRODUCT = ("contract", "lab", "orchestrator", "runbooks", "worker")
BESIDES = ("benchmarks", "tests")

# The arrows: orchestrator -> contract <- worker. The lab plays both sides; only the demo needs it.
MAY_IMPORT = {
    "contract": {"contract"},
    "worker": {"contract", "worker"},
    "orchestrator": {"contract", "orchestrator", "runbooks"},
    "lab": set(PRODUCT),
    "runbooks": {"runbooks"},
}
MAY_IMPORT_BESIDES = {"orchestrator.cli.demo": {"lab"}}

# A host installs the base package alone: this is all that it has.
BASE = {
    *("amqp", "billiard", "celery", "kombu", "redis", "click"),
    *("cel_expr_python", "cryptography", "msgspec", "re2", "structlog", "yaml"),
}
ON_A_HOST = ("contract", "worker")

# On a host one process has the network, the other the privilege and the keys; the command line
# starts either. Only enrolment has both, once, and ends before one of them is started.
STARTS_BOTH = ("worker.cli", "worker.entry", "worker.role")
HAS_BOTH_ONCE = ("worker.enrolment", "worker.enrol_cli")
COURIER = "worker.courier"
COURIER_NEVER_LOADS = {"cryptography"}
OTHERS_NEVER_LOAD = {"amqp", "celery", "kombu", "redis"}

DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
FILE_LINES = 300
BODY_LINES = 40


def house() -> SourceTree:
    return SourceTree(ROOT, PRODUCT)


def house_and_tests() -> SourceTree:
    return SourceTree(ROOT, (*PRODUCT, *BESIDES))


def is_part_of(name: str, whole: str) -> bool:
    return whole in prefixes(name)


def broken_arrows(tree: SourceTree) -> Iterator[str]:
    """Every import of one of our packages that the table does not allow."""
    for module in tree.modules.values():
        own = module.name.split(".")[0]
        allowed = MAY_IMPORT[own] | MAY_IMPORT_BESIDES.get(module.name, set())
        for package in {name.split(".")[0] for name in module.imports()} & set(tree.packages):
            if package not in allowed:
                yield f"{module.name} imports {package}"


def foreign_imports(tree: SourceTree) -> Iterator[str]:
    """Every import, in what runs on a host, of something that the base package does not bring."""
    for module in tree.modules.values():
        if module.name.split(".")[0] in ON_A_HOST:
            tops = {name.split(".")[0] for name in module.imports()}
            for top in sorted(tops - BASE - sys.stdlib_module_names - set(tree.packages)):
                yield f"{module.name} imports {top}"


def mixed_processes(tree: SourceTree) -> Iterator[str]:
    """Every way in which the courier reaches a key, or the other process the network."""
    for name in tree.modules:
        may = any(is_part_of(name, one) for one in (*STARTS_BOTH, *HAS_BOTH_ONCE))
        if not is_part_of(name, "worker") or may:
            continue
        is_courier = is_part_of(name, COURIER)
        reached = tree.reach(name)
        for banned in COURIER_NEVER_LOADS if is_courier else OTHERS_NEVER_LOAD:
            if banned in reached:
                yield f"{name} reaches {banned} through {reached[banned]}"


def undocumented(tree: SourceTree) -> Iterator[str]:
    """Every module and class that does not say what it is."""
    for module in tree.modules.values():
        if not ast.get_docstring(module.tree):
            yield module.name
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and not ast.get_docstring(node):
                yield f"{module.name}.{node.name}"


def oversized(tree: SourceTree) -> Iterator[str]:
    """Every file and function that has grown too long."""
    for module in tree.modules.values():
        if module.lines > FILE_LINES:
            yield f"{module.name}: {module.lines} lines"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = body_lines(node)
                if length > BODY_LINES:
                    yield f"{module.name}.{node.name}: {length} lines"


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The length of a function without its signature and its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def drawers(tree: SourceTree) -> Iterator[str]:
    """Every module named for nothing in particular."""
    return (name for name in tree.modules if name.split(".")[-1] in DRAWERS)


def folders_without_init(root: Path) -> Iterator[str]:
    """Every folder of Python files that tools would see differently from each other."""
    for folder in sorted({path.parent for path in root.rglob("*.py")}):
        if not (folder / "__init__.py").exists():
            yield str(folder)


def test_packages_import_along_the_arrows_only() -> None:
    """Both sides stand on the contract, and neither on the other."""
    assert list(broken_arrows(house())) == []


def test_worker_and_contract_need_the_base_package_only() -> None:
    """A host is not asked to install what belongs to the orchestrator."""
    assert list(foreign_imports(house())) == []


def test_courier_reaches_no_key_and_executor_no_broker() -> None:
    """The courier can't open a letter; nothing with privilege can talk to the broker."""
    assert list(mixed_processes(house())) == []


def test_modules_and_classes_say_what_they_are() -> None:
    """A docstring on each, tests included."""
    assert list(undocumented(house_and_tests())) == []


def test_files_and_functions_stay_small() -> None:
    """No file over 300 lines and no function body over 40, tests included."""
    assert list(oversized(house_and_tests())) == []


def test_modules_are_named_for_what_they_hold() -> None:
    """No drawers in which unlike things meet."""
    assert list(drawers(house_and_tests())) == []


def test_every_folder_is_a_package() -> None:
    """Without an __init__.py two tests of one name clash, or shadow the product."""
    found = [name for top in (*PRODUCT, *BESIDES) for name in folders_without_init(ROOT / top)]
    assert found == []


def plant(root: Path, **files: str) -> SourceTree:
    """A synthetic project; `worker__gate` is worker/gate.py, each top folder is a package."""
    for name, text in files.items():
        path = root.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (root / path.relative_to(root).parts[0] / "__init__.py").touch()
    return SourceTree(root, PRODUCT)


def test_broken_arrow_is_found_however_it_is_written(tmp_path: Path) -> None:
    """Absolute, relative and late imports are all seen; what only type checkers see is not."""
    tree = plant(
        tmp_path,
        worker__a="import orchestrator.store",
        worker__b="def late():\n    from orchestrator import store",
        worker__c="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import orchestrator",
        contract__d="from worker import gate",
        orchestrator__e="from lab import cloud",
        orchestrator__cli__demo="from lab import cloud",
        orchestrator__f="from . import e",
    )
    assert list(broken_arrows(tree)) == [
        "contract.d imports worker",
        "orchestrator.e imports lab",
        "worker.a imports orchestrator",
        "worker.b imports orchestrator",
    ]


def test_foreign_import_is_found(tmp_path: Path) -> None:
    """What the base package does not bring is named; the standard library is free."""
    tree = plant(tmp_path, worker__a="import json, rich.table", contract__b="import sqlalchemy")
    assert list(foreign_imports(tree)) == ["contract.b imports sqlalchemy", "worker.a imports rich"]


def test_mixed_process_is_found_through_other_modules(tmp_path: Path) -> None:
    """A detour over our own modules, relative or not, hides nothing."""
    tree = plant(
        tmp_path,
        contract__key="import cryptography.hazmat",
        worker__trust="from contract.key import Key",
        worker__courier="import celery\nfrom . import trust",
        worker__executor="from worker.courier import ring",
        worker__cli="import worker.courier, worker.executor",
        worker__gate="import contract.key",
    )
    assert list(mixed_processes(tree)) == [
        "worker.courier reaches cryptography through contract.key",
        "worker.executor reaches celery through worker.courier",
    ]


def test_bad_shape_is_found(tmp_path: Path) -> None:
    """Length, silence, drawers and loose folders are each named."""
    tree = plant(
        tmp_path,
        worker__long='"""Long."""\n' + "x = 1\n" * FILE_LINES,
        worker__deep='"""Deep."""\ndef f():\n    """F."""\n' + "    x = 1\n" * (BODY_LINES + 1),
        worker__mute="class Mute:\n    pass",
        worker__utils='"""Anything."""',
        lab__loose__cloud='"""Cloud."""',
    )
    assert list(oversized(tree)) == ["worker.deep.f: 41 lines", "worker.long: 301 lines"]
    assert [name for name in undocumented(tree) if "." in name] == [
        "worker.mute",
        "worker.mute.Mute",
    ]
    assert list(drawers(tree)) == ["worker.utils"]
    assert list(folders_without_init(tmp_path / "lab")) == [str(tmp_path / "lab" / "loose")]


def test_relative_import_from_a_package_is_resolved(tmp_path: Path) -> None:
    """One dot means the package itself in an __init__.py, and the folder in a module."""
    (tmp_path / "a.py").write_text("from .. import b\nfrom .c import d")
    assert list(Module("worker.x.a", tmp_path / "a.py").imports()) == [
        "worker",
        "worker.b",
        "worker.x.c",
        "worker.x.c.d",
    ]
