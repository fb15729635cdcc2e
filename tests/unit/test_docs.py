"""The documentation: nothing of the product is missing in it, and what it shows is true."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from contract import loader
from contract.action import ACTIONS, CommandFile
from contract.lint import RUN_NAMES
from contract.loader import load_runbook
from contract.observation import OBSERVATIONS
from contract.outcome import HostRunState, StepOutcome
from contract.parameter import ParameterType
from orchestrator.cli import exit_code
from orchestrator.cli.program import program
from orchestrator.schedule import _KEYS as SCHEDULE_KEYS
from orchestrator.schedule import read_schedules
from orchestrator.secret import vault_settings
from worker import cli as worker_cli
from worker import config, policy_file
from worker.verdict import Reason

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text(name: str) -> str:
    return (REFERENCE / name).read_text()


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> Iterator[str]:
    """Every fenced block of a page in a language."""
    for found in _FENCE.finditer(page.read_text()):
        if found[1] == language:
            yield found[2]


def runbooks() -> list[tuple[Path, str]]:
    return [
        (page, block)
        for page in PAGES
        for block in blocks(page, "yaml")
        if block.startswith("name:") and "\nsteps:" in block
    ]


RUNBOOKS = runbooks()


def anchor(heading: str) -> str:
    """A heading's anchor, as forges make it."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
    return kept.replace(" ", "-")


def commands(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """A command and all below it, with their full names."""
    context = click.Context(command, info_name=name.rsplit(maxsplit=1)[-1], parent=parent)
    yield name, command, context
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            below = command.get_command(context, verb)
            assert below is not None
            yield from commands(below, f"{name} {verb}", context)


PROGRAMS = [*commands(program, "denrei"), *commands(worker_cli.main, "denrei-worker")]
VERBS = [each for each in PROGRAMS if not isinstance(each[1], click.Group)]
COMMON = {"--home", "--as", "--debug", "--help", "-h", "--version"}


def section(name: str) -> str:
    """What the page of the command line says about one command, or about a whole program."""
    found = re.search(
        rf"^#+ {re.escape(name)}\b[^\n]*\n(.*?)(?=^#|\Z)", text("cli.md"), re.MULTILINE | re.DOTALL
    )
    assert found, f"no heading for `{name}`"
    return found[1]


@pytest.mark.parametrize(("name", "command", "context"), VERBS, ids=[name for name, *_ in VERBS])
def test_command_is_described_with_every_option(
    name: str, command: click.Command, context: click.Context
) -> None:
    """Each has a heading of its own, and each of its options stands below it."""
    told = section(name)
    for parameter in command.get_params(context):
        for flag in (*parameter.opts, *parameter.secondary_opts):
            if flag.startswith("-") and flag not in COMMON:
                assert f"`{flag}" in told, f"{name} {flag}"


@pytest.mark.parametrize("name", ["denrei", "denrei-worker"])
def test_options_of_the_whole_program_are_described(name: str) -> None:
    command, context = next((c, x) for n, c, x in PROGRAMS if n == name)
    for parameter in command.get_params(context):
        assert all(f"`{flag}" in section(name) for flag in parameter.opts)


def test_no_command_is_described_that_is_not_there() -> None:
    told = re.findall(r"^### (denrei[a-z -]*)", text("cli.md"), re.MULTILINE)
    named = {" ".join(w for w in line.split() if not w.isupper()) for line in told}
    there = {" ".join(w for w in name.split() if not w.isupper()) for name, *_ in VERBS}
    assert {name.removesuffix(" bash") for name in named} == there


def test_every_key_of_the_language_is_described() -> None:
    told = text("runbook-language.md")
    keys = (*loader._KEYS, *loader._STEP_KEYS, *loader._PARAM_KEYS)
    missing = [key for key in keys if f"| `{key}` |" not in told]
    assert missing == []
    assert [word for word in sorted(loader._RESERVED) if f"`{word}`" not in told] == []
    assert [kind for kind in ParameterType if f"`{kind}`" not in told] == []


@pytest.mark.parametrize("kind", OBSERVATIONS)
def test_observation_is_described_with_arguments_and_fields(kind: str) -> None:
    told = dict(sections("observations.md"))[kind]
    arguments = OBSERVATIONS[kind].arguments.__struct_fields__
    assert [
        name for name in (*arguments, *OBSERVATIONS[kind].fields) if f"| `{name}`" not in told
    ] == []
    for field, type_ in OBSERVATIONS[kind].fields.items():
        assert f"| `{field}` | {type_} |" in told


@pytest.mark.parametrize("kind", ACTIONS)
def test_action_is_described_with_its_arguments(kind: str) -> None:
    told = dict(sections("actions.md"))[kind]
    wanted = set(ACTIONS[kind].arguments.__struct_fields__)
    if kind == "command":
        wanted = wanted - {"argv"} | {"command"}
        assert all(f"`{name}`" in told for name in CommandFile.__struct_fields__)
    assert [name for name in sorted(wanted) if f"| `{name}` |" not in told] == []


def sections(page: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"^## (.+)$", text(page), flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def test_every_name_of_expressions_is_described() -> None:
    told = text("expressions.md")
    assert [name for name in RUN_NAMES if f"`{name}`" not in told] == []


def test_every_reason_of_the_gate_is_described_in_its_table() -> None:
    told = re.findall(r"^\| `(\w+)` \|", text("gate-reasons.md"), re.MULTILINE)
    assert sorted(told) == sorted(reason.value for reason in Reason)


def test_every_exit_code_is_described() -> None:
    orchestrator, worker = re.split(
        r"^## denrei-worker$", text("exit-codes.md"), flags=re.MULTILINE
    )
    told = [int(code) for code in re.findall(r"^\| (\d+) \|", orchestrator, re.MULTILINE)]
    assert told == [code.value for code in exit_code.ExitCode]
    told = [int(code) for code in re.findall(r"^\| (\d+) \|", worker, re.MULTILINE)]
    assert told == sorted(told_in_source())


def told_in_source() -> set[int]:
    """The exit codes that the worker's help names."""
    epilog = worker_cli.main.epilog or ""
    return {int(code) for code in re.findall(r"\b(\d+) (?:done|an|wrong|the)\b", epilog)}


def test_every_outcome_and_state_is_described() -> None:
    told = text("glossary.md")
    assert [word for word in (*StepOutcome, *HostRunState) if f"`{word}`" not in told] == []


def test_every_key_of_the_files_is_described() -> None:
    files = text("files-and-directories.md")
    assert [
        key for key in (*config._KEYS, *vault_settings._KEYS) if f"| `{key}` |" not in files
    ] == []
    rules = text("policy.md")
    assert [key for key in policy_file.KEYS if f"| `{key}` |" not in rules] == []
    schedules = (DOCS / "how-to" / "schedule-checks.md").read_text()
    assert [key for key in SCHEDULE_KEYS if f"| `{key}` |" not in schedules] == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, place = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if place:
            assert place in [anchor(h) for h in _HEADING.findall(target.read_text())], link


def test_every_page_is_reached_from_the_index() -> None:
    """Whoever begins at docs/index.md finds everything."""
    reached, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = [link.partition("#")[0] for link in _LINK.findall(page.read_text())]
        near = [(page.parent / x).resolve() for x in links if x and not re.match(r"[a-z]+:", x)]
        waiting += [path for path in near if path.exists()]
    assert sorted(page_id(p) for p in DOCS.rglob("*.md") if p not in reached) == []


@pytest.mark.parametrize(
    ("page", "block"), RUNBOOKS, ids=[f"{page_id(p)}-{i}" for i, (p, _) in enumerate(RUNBOOKS)]
)
def test_runbook_in_the_docs_lints_clean(page: Path, block: str) -> None:
    load_runbook(block.encode(), page_id(page))


def test_schedules_in_the_docs_can_be_read() -> None:
    page = DOCS / "how-to" / "schedule-checks.md"
    assert [read_schedules(block.encode(), "x") for block in blocks(page, "yaml")]
