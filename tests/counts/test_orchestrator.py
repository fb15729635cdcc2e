"""What an order costs the orchestrator, in SQL statements, transactions and Redis commands."""

from collections.abc import Callable

import pytest

from contract.outcome import HostRunState
from orchestrator.dispatch import Dispatcher
from orchestrator.store.record import Run
from tests.counts.conftest import HOSTS
from tests.counts.tally import Statements, commands, plans, statements
from tests.orchestrator_house import House

Answer = Callable[[House, Run, str], bytes]

LETTERS = 10


def test_submission_costs_no_statement_more_for_more_hosts(house: House) -> None:
    """Guards submit: 4 statements and one transaction, and 2 statements for each 500 hosts more."""
    hosts = house.store.hosts.all()
    with statements(house.store) as few:
        house.submit(hosts=hosts[:2])
    with statements(house.store) as many:
        house.submit(hosts=hosts)
    assert few.count == many.count <= 5
    assert many.commits == 1


def test_dispatch_of_a_batch_costs_two_transactions_and_one_command_an_order(
    house: House, dispatcher: Dispatcher
) -> None:
    """Guards the dispatcher's turn: 8 statements and 2 commits a batch, one LPUSH an order."""
    house.submit()
    with statements(house.store) as asked, commands(house.home.broker) as sent:
        dispatcher.turn()
    assert asked.count <= 10
    assert asked.commits <= 2
    assert sent["lpush"] == HOSTS
    assert sent.total() <= HOSTS + 4


def test_dispatcher_with_nothing_to_do_writes_nothing_and_asks_redis_nothing(
    house: House, dispatcher: Dispatcher
) -> None:
    """Guards the idle dispatcher: 5 statements a look, no transaction that writes, no command."""
    with statements(house.store) as asked, commands(house.home.broker) as sent:
        dispatcher.turn()
    assert asked.count <= 6
    assert asked.commits == 0
    assert sent.total() == 0


def receipt(house: House, run: Run, host: str) -> bytes:
    return house.hosts[host].receipt(house.order(run, host), HostRunState.RUNNING)


def report(house: House, run: Run, host: str) -> bytes:
    return house.hosts[host].report(house.order(run, host))


@pytest.mark.parametrize("answer", [receipt, report])
def test_recording_a_letter_costs_a_bounded_number_of_statements(
    house: House, answer: Answer
) -> None:
    """Guards the recorder: 7 statements for a receipt or a report, at most one commit each."""
    run, recorder = house.submit(), house.recorder()
    letters = [answer(house, run, f"web{number}") for number in range(LETTERS)]
    with statements(house.store) as asked:
        for letter in letters:
            recorder.record(letter)
    assert asked.count <= 8 * LETTERS
    assert asked.commits <= LETTERS


@pytest.mark.parametrize("answer", [receipt, report])
def test_recording_many_letters_costs_no_statement_more_than_one(
    house: House, answer: Answer
) -> None:
    """Guards the recorder in a flood: 7 statements and one commit for all that come together."""
    run, recorder = house.submit(), house.recorder().recorder
    letters = [answer(house, run, f"web{number}") for number in range(HOSTS)]
    with statements(house.store) as asked:
        recorder.record(letters)
    assert asked.count <= 8
    assert asked.commits == 1


def test_recording_many_late_letters_asks_for_their_run_once(house: House) -> None:
    """Guards the recorder after a stop of its own: 2 statements more for all that come together."""
    run, recorder = house.submit(), house.recorder().recorder
    order = {name: house.order(run, name) for name in house.hosts}
    letters = [host.report(order[name], ended_at=1) for name, host in house.hosts.items()]
    with statements(house.store) as asked:
        recorder.record(letters)
    assert asked.count <= 10


def test_repeated_report_writes_nothing(house: House) -> None:
    """Guards the recorder against hosts that repeat: no INSERT and no UPDATE for a repeat."""
    run, recorder = house.submit(), house.recorder()
    letter = report(house, run, "web1")
    recorder.record(letter)
    with statements(house.store) as asked:
        assert recorder.record(letter).repeated
    assert not [text for text in asked.texts if not text.startswith("SELECT")]


def test_dispatcher_turn_looks_at_no_host_run_that_has_ended(
    house: House, dispatcher: Dispatcher
) -> None:
    """Guards the dispatcher: years of host runs lie in the store, and it looks twice a second."""
    house.submit()
    with statements(house.store) as asked:
        dispatcher.turn()
    reading = [at for at, text in enumerate(asked.texts) if text.startswith("SELECT")]
    reads = Statements([asked.texts[at] for at in reading], [asked.values[at] for at in reading])
    looks = [step for step in plans(house.store, reads) if "host_runs" in step]
    assert len(looks) >= 2
    assert not [step for step in looks if step.startswith("SCAN")]
