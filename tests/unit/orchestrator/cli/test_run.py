"""`denrei run`: what list, show and watch tell."""

import json

import pytest
import yaml

from contract.outcome import HostRunState, StepOutcome
from contract.report import ActionReport, PassReport, StepReport
from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import Place

_ACTION = ActionReport(
    kind="command",
    summary="exit code 1",
    exit_code=1,
    stdout="one\n\x1b[31mred\n",
    stderr="[bold]no markup[/bold]",
)
_STEP = StepReport(
    name="agent runs on the renewed certificate",
    outcome=StepOutcome.CHANGED,
    reason="proved after interruption",
    evidence={"agent.running": True, "agent.pid": 42},
    attempts=2,
    interrupted=True,
    action=_ACTION,
)
_FALSE = "agent.running is false"
_LONG = "the state did not hold within 30s because the endpoint refused the certificate " * 2


@pytest.fixture
def run_id(place: Place, denrei: Denrei) -> str:
    """A run on web1 and web2 that web1 has reported."""
    run_id = denrei("submit", "look", "--host", "web*", "--detach").out.strip()
    passes = [PassReport(item="ws\x07", steps=[_STEP], values={"not_after": "2027-01-01"})]
    place.report("web1", StepOutcome.CHANGED, passes=passes, notes=["left alone: scom"])
    return str(run_id)


def test_run_list_shows_how_runs_stand(
    run_id: str, denrei: Denrei, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run is a line with its outcomes and what is still open."""
    monkeypatch.setenv("COLUMNS", "80")
    said = denrei("run", "list")
    assert said.code == 0
    assert run_id in said.out
    assert "1 changed, 1 queued" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_run_list_takes_a_runbooks_short_name(run_id: str, denrei: Denrei) -> None:
    """The runs themselves have the full one."""
    checked = denrei("submit", "check", "--all", "--detach").out.strip()
    for name in ("check", "oms/check"):
        listed = json.loads(denrei("run", "list", "--runbook", name, "-o", "json").out)["runs"]
        assert [(run["id"], run["runbook"]) for run in listed] == [(checked, "oms/check")]


def test_run_list_limit_and_since_leave_older_ones_out(run_id: str, denrei: Denrei) -> None:
    """Limits work in every format; a moment may be an age or a date."""
    newer = denrei("submit", "look", "--all", "--check", "--detach").out.strip()
    listed = json.loads(denrei("run", "list", "--limit", "1", "-o", "json").out)["runs"]
    assert [run["id"] for run in listed] == [newer]
    lines = denrei("run", "list", "--since", "1h", "-o", "jsonl").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [newer, run_id]
    assert denrei("run", "list", "--since", "2100-01-01", "-o", "jsonl").out == ""
    assert denrei("run", "list", "--since", "soon").code == 2


def test_run_list_before_a_run_goes_on_from_it(run_id: str, denrei: Denrei) -> None:
    """Page by page each run comes once, also of one host's; the end is an empty page."""
    middle, newest = (denrei("submit", "look", "--all", "--detach").out.strip() for _ in "12")
    page = ("run", "list", "--limit", "1", "-o", "jsonl")
    for narrowed in ((), ("--host", "web1"), ("--since", "1960-01-01")):
        older = [denrei(*page, *narrowed, "--before", run).out for run in (newest, middle)]
        assert [json.loads(text)["id"] for text in older] == [middle, run_id]
        assert denrei(*page, *narrowed, "--before", run_id).out == ""
    assert "no run begins with" in denrei(*page, "--before", "NONE").err


def test_run_show_tells_every_step_with_its_evidence(run_id: str, denrei: Denrei) -> None:
    """Host, pass, step, outcome, reason and evidence are there; nothing acts on the terminal."""
    out = denrei("run", "show", run_id).out
    for part in (
        "asked by: alice via cli",
        "left alone: scom",
        "ws\\x07",
        "changed   agent runs on the renewed certificate  (2 attempts, interrupted)",
        "proved after interruption",
        "agent.running = true",
        "agent.pid = 42",
        "command: exit code 1\n",
        "not_after = 2027-01-01",
        "web2  queued  expires at",
    ):
        assert part in out
    assert "stdout" not in out
    assert "\x07" not in out


def test_run_show_output_prints_what_actions_printed(run_id: str, denrei: Denrei) -> None:
    """Output comes on request, line by line, harmless."""
    out = denrei("run", "show", run_id, "--output").out
    assert "stdout | \\x1b[31mred" in out
    assert "stderr | [bold]no markup[/bold]" in out


def test_run_show_json_has_a_stable_shape(run_id: str, denrei: Denrei) -> None:
    """The document for machines holds the whole report."""
    document = json.loads(denrei("run", "show", run_id, "-o", "json").out)
    assert document["schema_version"] == 1
    assert set(document) == {"schema_version", "run", "ended", "exit_code", "summary", "hosts"}
    assert (document["ended"], document["exit_code"]) == (False, None)
    assert document["summary"] == {"changed": 1, "queued": 1}
    step = document["hosts"][0]["passes"][0]["steps"][0]
    assert step["evidence"] == {"agent.running": True, "agent.pid": 42}
    assert step["action"]["stdout"] == _ACTION.stdout


def test_run_show_formats_agree_and_are_ascii(run_id: str, place: Place, denrei: Denrei) -> None:
    """JSON and YAML hold the same; neither passes a host's control characters on."""
    place.report("web2", StepOutcome.OK)
    as_json = denrei("run", "show", run_id, "-o", "json").out
    as_yaml = denrei("run", "show", run_id, "-o", "yaml").out
    assert yaml.safe_load(as_yaml) == json.loads(as_json)
    assert json.loads(as_json)["exit_code"] == 0
    assert not {"\x1b", "\x07"} & set(as_json + as_yaml)


@pytest.mark.parametrize("shorten", [str.lower, lambda run_id: run_id[:20]])
def test_run_show_takes_a_unique_prefix(run_id: str, denrei: Denrei, shorten: object) -> None:
    """As much of an id as makes it unique is enough, in either case."""
    assert callable(shorten)
    assert run_id in denrei("run", "show", shorten(run_id)).out


def test_run_show_unknown_or_ambiguous_exits_2(run_id: str, denrei: Denrei) -> None:
    """No run and several runs are told apart."""
    denrei("submit", "look", "--all", "--detach")
    assert "no run begins with 'ZZZ'" in denrei("run", "show", "ZZZ").err
    said = denrei("run", "show", run_id[:3])
    assert said.code == 2
    assert "several runs begin with" in said.err


def test_run_watch_ended_run_tells_reasons_below_the_host(
    run_id: str, place: Place, denrei: Denrei
) -> None:
    """A run that is over is told at once; in a pipe a reason, or a note, is one indented line."""
    place.refuse("web2", "policy_runbook", _LONG)
    said = denrei("run", "watch", run_id)
    assert said.code == 6
    lines = said.out.splitlines()
    assert lines[0].split() == ["HOST", "STATE", "OUTCOME", "TIME"]
    assert lines[1].startswith("web1  succeeded  changed")
    assert lines[2] == "    left alone: scom"
    assert lines[4] == f"    policy_runbook: {_LONG}"
    assert "1 changed, 1 refused" in said.err


def test_run_watch_at_80_columns_wraps_reasons_under_their_host(
    run_id: str, place: Place, denrei: Denrei, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a width is asked for, long reasons are wrapped and stay indented."""
    monkeypatch.setenv("COLUMNS", "80")
    place.refuse("web2", "policy_runbook", _LONG)
    lines = denrei("run", "watch", run_id).out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line[:4] for line in lines] == ["HOST", "web1", "    ", "web2", *["    "] * 3]


def test_run_watch_failed_step_is_named_with_its_reason(place: Place, denrei: Denrei) -> None:
    """A host run that gives no reason of its own gets those of its steps, item by item."""
    run_id = denrei("submit", "look", "--host", "db1", "--detach").out.strip()
    failed = StepReport(
        name="agent runs", outcome=StepOutcome.FAILED, reason="agent.running is false"
    )
    fine = StepReport(name="agent runs", outcome=StepOutcome.OK)
    passes = [PassReport(item="w1", steps=[failed]), PassReport(item="w2", steps=[fine])]
    place.report("db1", StepOutcome.FAILED, passes=passes)
    said = denrei("run", "watch", run_id)
    assert said.code == 3
    assert said.out.splitlines()[2:] == ["    w1: agent runs: agent.running is false"]
    document = json.loads(denrei("run", "show", run_id, "-o", "json").out)
    assert document["hosts"][0]["reason"] == "w1: agent runs: agent.running is false"


def test_run_show_tells_one_cause_of_several_steps_once(place: Place, denrei: Denrei) -> None:
    run_id = denrei("submit", "look", "--host", "db1", "--detach").out.strip()
    why = "can't read /etc/ssl/private/site.key: Permission denied"
    steps = [StepReport(name=n, outcome=StepOutcome.UNKNOWN, reason=why) for n in ("a", "b", "c")]
    place.report("db1", StepOutcome.UNKNOWN, passes=[PassReport(steps=steps)])
    shown = denrei("run", "show", run_id).out
    assert shown.count(why) == 1
    assert shown.count("for the same reason") == 2
    document = json.loads(denrei("run", "show", run_id, "-o", "json").out)
    assert document["hosts"][0]["reason"] == f"a (and 2 more): {why}"


def test_run_show_tells_the_attempts_and_the_rescue_below_their_step(
    place: Place, denrei: Denrei
) -> None:
    """What was tried before, and what was tried then, in the order in which it happened."""
    run_id = denrei("submit", "look", "--host", "db1", "--detach").out.strip()
    back = StepReport(name="earlier pair is back", outcome=StepOutcome.CHANGED, started_at=2_000)
    step = StepReport(
        name="renewed pair is served",
        outcome=StepOutcome.ROLLED_BACK,
        reason="the earlier state was put back",
        attempts=2,
        earlier=["attempt 1: exit code 1, and the state did not hold"],
        rescue=[back],
    )
    place.report("db1", StepOutcome.ROLLED_BACK, passes=[PassReport(steps=[step])])
    lines = denrei("run", "show", run_id).out.splitlines()
    at = next(n for n, line in enumerate(lines) if "renewed pair is served" in line)
    assert [line.strip() for line in lines[at : at + 5]] == [
        "rolled_back renewed pair is served  (2 attempts)",
        "the earlier state was put back",
        "attempt 1: exit code 1, and the state did not hold",
        "rescue:",
        "changed   earlier pair is back",
    ]
    document = json.loads(denrei("run", "show", run_id, "-o", "json").out)
    (told,) = document["hosts"][0]["passes"][0]["steps"][0]["rescue"]
    assert (told["outcome"], told["started_at"]) == ("changed", "1970-01-01T00:00:02Z")


def test_run_watch_shows_each_move_as_a_line(run_id: str, place: Place) -> None:
    """Off a terminal, progress is a line per change on stderr."""
    place.serve()
    process = place.start("run", "watch", run_id)
    assert process.stderr is not None
    assert [process.stderr.readline()[:12] for _ in range(2)] == ["web1: succee", "web2: queued"]
    place.receive("web2")
    assert process.stderr.readline().startswith("web2: running, since")
    place.report("web2", StepOutcome.FAILED, "no pid")
    out, err = process.communicate(timeout=30)
    assert "web2: failed" in err
    assert "no pid" in out
    assert process.returncode == 3


def test_run_watch_without_a_server_gives_up_after_expiry(
    place: Place, denrei: Denrei, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When orders have expired and nobody runs who could say so, following does not hang."""
    monkeypatch.setattr("orchestrator.cli.run_follow._AFTER_EXPIRY_MS", 0)
    said = denrei("submit", "look", "--host", "db1", "--expires", "50ms")
    assert said.code == 7
    assert "no server runs that could end it" in said.err
    share = place.host_run("db1")
    assert share is not None
    assert share.state is HostRunState.QUEUED
