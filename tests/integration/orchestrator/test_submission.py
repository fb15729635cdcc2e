"""Making runs."""

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract.envelope import EnvelopeError, PayloadType
from contract.error import DenreiError
from contract.loader import load_runbook
from contract.order import Order, decode, letter_digest
from contract.outcome import HostRunState
from contract.parameter import ParameterError
from contract.sealing import SealContext, SealError, unseal
from orchestrator.dispatch import Dispatcher
from orchestrator.spool import SpoolError
from orchestrator.store.record import Kind, Via
from orchestrator.submission import SubmissionError, parse_params
from tests.orchestrator_house import House, runbook
from tests.signing_host import payload_of

SECRET = "correct-horse-battery"


def test_submission_order_holds_all_that_a_host_needs(live_house: House) -> None:
    run = live_house.submit(params={"path": "/y"}, reason="because", check=True)
    for name in ("web1", "web2"):
        letter = live_house.order(run, name)
        payload = payload_of(letter, live_house.home.operator_key(), PayloadType.ORDER)
        order = decode(payload, Order)
        assert (order.host, order.run_id, order.runbook) == (name, run.run_id, "touch")
        assert order.runbook_yaml == runbook().source
        assert order.runbook_sha256 == runbook().digest == run.runbook_sha256
        assert order.params == {"path": "/y", "count": 1}
        assert (order.operator, order.via, order.reason) == ("alice", "cli", "because")
        assert order.check
        assert order.expires_at - order.issued_at == 300_000
        assert live_house.host_run(run, name).order_sha256 == letter_digest(letter)
        assert live_house.state(run, name) is HostRunState.QUEUED


def test_submission_order_holds_what_its_profile_stands_for(house: House) -> None:
    """Who reads the run later need not know what the profile was then."""
    source = runbook().source + 'profiles: {mail: {path: "/mail", count: 25}}\n'
    profiled = load_runbook(source.encode(), "touch.yaml")
    run = house.submit(runbook=profiled, params={"profile": "mail", "count": 7})
    order = decode(
        payload_of(house.order(run), house.home.operator_key(), PayloadType.ORDER), Order
    )
    assert order.params == run.params == {"profile": "mail", "path": "/mail", "count": 7}


def test_submission_secret_opens_for_its_host_alone_and_is_stored_nowhere(
    live_house: House,
) -> None:
    run = live_house.submit(secrets={"token": SECRET})
    web1, web2 = live_house.hosts["web1"], live_house.hosts["web2"]
    sealed = web1.read_order(live_house.order(run, "web1")).sealed_params["token"]
    context = SealContext(run.run_id, "web1", 1, run.runbook_sha256, "token")
    assert unseal(sealed, web1.seal_key, context) == SECRET
    with pytest.raises(SealError):
        unseal(sealed, web2.seal_key, context)
    assert run.secrets == ("token",)
    files = [path for path in Path(live_house.home.path).rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_submission_by_beat_is_signed_by_whoever_submits(house: House) -> None:
    run = house.submit(via=Via.BEAT, operator="beat", runbook=replace(runbook(), unattended=True))
    with pytest.raises(EnvelopeError):
        payload_of(house.order(run), house.home.beat_key(), PayloadType.ORDER)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"params": {"pth": "/y"}}, ParameterError, "did you mean 'path'"),
        ({"params": {"count": "three"}}, ParameterError, "not an integer"),
        ({"params": {"token": SECRET}}, ParameterError, "--secret token=@FILE"),
        ({"secrets": {"path": "/y/y/y/y"}}, ParameterError, "-p path=VALUE"),
        ({"secrets": {"token": "short"}}, ParameterError, "the value given is shorter"),
        ({"hosts": []}, SubmissionError, "at least one host"),
        ({"expires_in": timedelta(days=8)}, SubmissionError, "at most 7 days"),
        ({"expires_in": timedelta(0)}, SubmissionError, "more than nothing"),
        ({"params": {"path": "/\udcff"}}, SubmissionError, "not valid UTF-8"),
        ({"reason": "x" * 2001}, SubmissionError, "longer than 2000"),
    ],
)
def test_submission_mistake_is_told_and_nothing_is_stored(
    house: House, changes: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        house.submit(**changes)  # type: ignore[arg-type]
    assert SECRET not in str(caught.value)
    assert house.store.runs.list() == []
    assert house.store.envelopes.list() == []


def test_submission_same_host_twice_is_refused(house: House) -> None:
    with pytest.raises(SubmissionError, match="twice"):
        house.submit(hosts=house.store.hosts.targets() * 2)


def test_submission_needs_no_broker_and_no_server(house: House) -> None:
    """The home's broker is nowhere: the order is stored all the same."""
    run = house.submit()
    assert [letter.kind for letter in house.store.envelopes.list(run_id=run.run_id)] == [Kind.ORDER]


def test_parameters_typed_on_the_command_line_get_their_types() -> None:
    assert parse_params(runbook(), {"count": "3", "path": "3"}) == {"count": 3, "path": "3"}
    with pytest.raises(ParameterError, match="unknown parameter 'cuont'; did you mean 'count'"):
        parse_params(runbook(), {"cuont": "3"})
    with pytest.raises(ParameterError, match="--secret") as caught:
        parse_params(runbook(), {"token": SECRET})
    assert SECRET not in str(caught.value)


def test_submission_is_leaving_until_every_order_was_published_or_waits_for_approval(
    live_house: House, dispatcher: Dispatcher
) -> None:
    """Asked for by `--detach`, which tells whether the orders have left."""
    runs, run = live_house.store.runs, live_house.submit()
    assert runs.is_leaving(run.run_id)
    dispatcher.turn()
    assert not runs.is_leaving(run.run_id)
    assert not runs.is_leaving(live_house.submit(people=2).run_id)


def test_submission_whose_last_order_fails_stores_nothing(live_house: House) -> None:
    """The orders before it are finished already, and are forgotten."""
    hosts = live_house.store.hosts.targets()
    broken = replace(hosts[-1], seal_key="not a key")
    with pytest.raises(DenreiError):
        live_house.submit(hosts=[*hosts[:-1], broken], secrets={"token": SECRET})
    assert live_house.store.runs.list() == []
    assert live_house.store.envelopes.list() == []


def test_submission_without_room_for_the_orders_is_one_sentence_and_stores_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The orders wait in a file; /dev/full is a disk that is full."""
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "w+b"))  # noqa: SIM115, PTH123
    with pytest.raises(SpoolError, match="No space left"):
        house.submit()
    assert house.store.runs.list() == []
