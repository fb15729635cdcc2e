"""What a host run learnt of certificates, and how it gets into the report."""

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from contract.certificate import MAX_FACTS, CertificateFact, CertificateVerdict
from contract.envelope import MAX_BYTES
from contract.order import decode, encode
from contract.report import Report
from tests.unit.worker.lives import KILL_BOTH, be_executor, deliver, live
from tests.unit.worker.observations.certificates import certificate, pem
from tests.unit.worker.test_answers import answers_of, report_of
from tests.worker_host import WorkerHost
from worker.answers import Answers
from worker.observations.observation import CertificateFields
from worker.redaction import Redactor
from worker.sightings import MAX_NAMES, MAX_TEXT, Sightings, few, gather

NOBODY = Redactor([])


def fact(path: str = "/a.pem", **values: Any) -> CertificateFact:
    known = {
        "verdict": CertificateVerdict.FRESH,
        "reason": "it is",
        "confirmed": False,
        "observed_at": 1,
    }
    return CertificateFact(path=path, **{**known, **values})


def told(*facts: CertificateFact, complete: bool = False) -> CertificateFields:
    fields = CertificateFields()
    fields.certificates, fields.complete = facts, complete
    return fields


def gathered(*looks: CertificateFields, redactor: Redactor = NOBODY) -> Sightings:
    return gather([{str(at): look} for at, look in enumerate(looks)], redactor)


def test_sightings_of_several_passes_keep_the_newest_of_each_certificate() -> None:
    seen = gathered(
        told(fact("/a.pem", observed_at=5), fact("/b.pem", observed_at=1)),
        told(fact("/a.pem", observed_at=3), fact("/b.pem", observed_at=2)),
        told(fact("/a.pem", endpoint="a:443", observed_at=1)),
    )
    found = sorted((each.path, each.endpoint, each.observed_at) for each in seen.facts)
    assert found == [("/a.pem", "", 5), ("/a.pem", "a:443", 1), ("/b.pem", "", 2)]
    assert not seen.complete


def test_sightings_of_a_scan_are_complete_even_if_it_found_nothing() -> None:
    assert gathered(told(complete=True)) == Sightings([], complete=True, notes=[])
    assert gathered(told(complete=True), told(fact())).complete


def test_sightings_that_are_too_many_say_so_and_keep_the_urgent() -> None:
    """A report that left something out is never complete: nothing may be taken away for it."""
    many = [fact(f"/{n}.pem", not_after=n) for n in range(MAX_FACTS + 7)]
    stale = fact("/stale.pem", verdict=CertificateVerdict.STALE_IN_MEMORY)
    seen = gathered(told(*many, stale, complete=True))
    assert len(seen.facts) == MAX_FACTS
    assert seen.facts[0] == stale
    assert not seen.complete
    assert "8 more certificates" in seen.notes[0]


def test_sightings_that_no_report_can_hold_are_left_out_with_a_note() -> None:
    seen = gathered(told(fact(not_after=-5), fact("/b.pem"), complete=True))
    assert [each.path for each in seen.facts] == ["/b.pem"]
    assert not seen.complete
    assert "1 certificates have values" in seen.notes[0]


def test_sightings_are_told_without_the_secrets_of_their_order() -> None:
    secret = "hunter2-hunter3"
    names = [f"{secret}.example"]
    seen = gathered(told(fact(subject=f"CN={secret}", san=names)), redactor=Redactor([secret]))
    assert secret not in encode_all(seen)
    assert seen.facts[0].subject == "CN=[secret]"


def test_sightings_that_look_alike_once_secrets_are_out_are_never_complete() -> None:
    """Who takes one for the other would take away what is still in use."""
    secrets = ["hunter2-hunter3", "hunter4-hunter5"]
    seen = gathered(
        told(*(fact(f"/{secret}/a.pem") for secret in secrets), complete=True),
        redactor=Redactor(secrets),
    )
    assert [each.path for each in seen.facts] == ["/[secret]/a.pem"]
    assert not seen.complete
    assert "1 certificates can't be told from others" in seen.notes[0]


def test_names_that_are_cut_twice_are_counted_once() -> None:
    names = [f"DNS:{n}.example" for n in range(300)]
    assert few(few(names, 100), 5) == few(names, 5) == [*names[:4], "… 296 more"]


@given(
    st.text(max_size=MAX_TEXT * 2),
    st.lists(st.text(max_size=300), max_size=MAX_NAMES + 5),
    st.integers(),
)
def test_sightings_of_anything_make_a_report_that_the_other_side_can_read(
    text: str, names: list[str], moment: int
) -> None:
    strange = text + "\udcff"  # as of a file's name that is no UTF-8
    seen = gathered(told(fact(strange, subject=strange, san=names, outage_at=moment)))
    for each in seen.facts:
        assert decode(encode(each), CertificateFact) == each
        assert len(each.path) <= MAX_TEXT


def encode_all(seen: Sightings) -> str:
    return " ".join(encode(each).decode() for each in seen.facts)


LOOK = """\
name: look
observe:
  mine: {certificate_state: {path: /a.pem}}
steps:
  - {name: fresh, ensure: mine.fresh}
report: {verdict: mine.verdict}
"""


@pytest.fixture
def with_certificate(host: WorkerHost) -> WorkerHost:
    write_certificate(host)
    return host


def write_certificate(host: WorkerHost, name: str = "a.pem") -> None:
    (host.root / name).write_bytes(pem(certificate(ec.generate_private_key(ec.SECP256R1()))))


def test_report_carries_what_an_observation_told_of_a_certificate(
    with_certificate: WorkerHost,
) -> None:
    report = with_certificate.run(LOOK)
    (seen,) = report.certificates
    assert (seen.path, seen.verdict) == ("/a.pem", "expired")
    assert seen.san[0] == "DNS:a.example"
    assert report.accepted_at <= seen.observed_at <= report.ended_at
    assert not report.certificates_complete


def test_report_tells_the_last_look_after_a_change(with_certificate: WorkerHost) -> None:
    """What a step has repaired is told as it is afterwards."""
    with_certificate.tool("tool", "rm a.pem")
    gone = "  - {name: gone, ensure: '!mine.exists', do: {command: [/bin/tool]}, within: 1s}\n"
    report = with_certificate.run(LOOK.split("steps:", maxsplit=1)[0] + "steps:\n" + gone)
    assert report.outcome == "changed"
    assert [each.verdict for each in report.certificates] == ["missing"]


def test_report_tells_of_a_change_by_a_step_that_does_not_look_at_it(
    with_certificate: WorkerHost,
) -> None:
    """What was seen before an action is no news after it."""
    with_certificate.tool("tool", "rm a.pem; touch flag")
    text = LOOK.split("report:", maxsplit=1)[0].replace("mine.fresh", "mine.exists")
    text = text.replace("observe:\n", "observe:\n  flag: {file: {path: /flag}}\n")
    text += "  - {name: flagged, ensure: flag.exists, do: {command: [/bin/tool]}, within: 1s}\n"
    report = with_certificate.run(text)
    assert report.outcome == "changed"
    assert [each.verdict for each in report.certificates] == ["missing"]


EACH = """\
name: each
for_each: {item: {glob: {path: /certs/*}}}
observe:
  it: {certificate_state: {path: "${item.path}"}}
steps:
  - {name: looked at, ensure: it.exists}
"""


def test_report_of_several_passes_tells_of_each_ones_certificate(host: WorkerHost) -> None:
    (host.root / "certs").mkdir()
    for name in ("certs/a.pem", "certs/b.pem"):
        write_certificate(host, name)
    report = host.run(EACH)
    assert sorted(each.path for each in report.certificates) == ["/certs/a.pem", "/certs/b.pem"]


TWO_STEPS = """\
name: two-steps
observe:
  mine: {certificate_state: {path: /a.pem}}
  flag: {file: {path: /flag}}
  end: {file: {path: /end}}
steps:
  - {name: replaced, ensure: "!mine.exists", do: {command: [/bin/remove]}, within: 1s}
  - {name: killed, ensure: flag.exists, do: {command: [/bin/kill]}, on_interrupt: rerun, within: 1s}
"""


def test_report_after_a_crash_tells_what_the_first_life_saw(with_certificate: WorkerHost) -> None:
    """A step that is done is not done again; its certificate is looked at for the report."""
    host = with_certificate
    host.tool("remove", "rm a.pem")
    host.tool("kill", f"if [ -e once ]; then touch flag; else touch once; {KILL_BOTH}; fi")
    deliver(host, TWO_STEPS)
    assert not live(host)
    be_executor(host)
    report = host.report()
    assert report.outcome == "changed"
    assert [each.verdict for each in report.certificates] == ["missing"]


@pytest.fixture
def answers(host: WorkerHost) -> Answers:
    return answers_of(host.config, host.config.outbox)


def large_report(count: int, names: int, *size: int) -> Report:
    san = [f"name-{n}.example.org" for n in range(names)]
    facts = [fact(f"/{n}.pem", subject="x" * 300, not_after=n, san=san) for n in range(count)]
    facts.append(fact("/late.pem", verdict=CertificateVerdict.EXPIRED, subject="x" * 300))
    report = report_of(*(size or (1, 1, 10, 10)))
    return decode(encode_with(report, facts), Report)


def encode_with(report: Report, facts: list[CertificateFact]) -> bytes:
    full = msgspec.structs.replace(report, certificates=facts, certificates_complete=True)
    return encode(full)


def test_report_with_long_lists_of_names_keeps_all_certificates(
    host: WorkerHost, answers: Answers
) -> None:
    told_ = host.read(answers.signed_report(large_report(100, 99)))
    assert len(told_.certificates) == 101
    assert told_.certificates_complete
    assert told_.certificates[0].san[-1] == "… 95 more"


@pytest.mark.parametrize("size", [(1, 1, 10, 10), (1, 90, 0, 4000), (300, 100, 0, 10)])
def test_report_with_too_many_certificates_fits_keeps_the_urgent_and_is_not_complete(
    host: WorkerHost, answers: Answers, size: tuple[int, ...]
) -> None:
    letter = answers.signed_report(large_report(499, 99, *size))
    assert len(letter) <= MAX_BYTES
    told_ = host.read(letter)
    assert told_.certificates[0].path == "/late.pem"
    assert 100 < len(told_.certificates) < 500
    assert not told_.certificates_complete
    left_out = 500 - len(told_.certificates)
    assert f"{left_out} of 500 certificates did not fit" in told_.notes[-1]
