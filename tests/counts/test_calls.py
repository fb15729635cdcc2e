"""What an order makes Python do, counted in calls of functions: the same on any machine.

A quarter more is for what other versions of Python and of the libraries call.
"""

from pathlib import Path

from contract.report import Report
from orchestrator.dispatch import Dispatcher
from tests.counts.conftest import HOSTS
from tests.counts.tally import calls
from tests.counts.three_steps import THREE_STEPS, furnish
from tests.orchestrator_house import House
from tests.worker_host import WorkerHost, work

RUNS = 4


def test_host_run_of_three_steps_calls_a_bounded_number_of_functions(tmp_path: Path) -> None:
    """Guards the executor: 5,450 calls from the letter to the signed report."""
    host = WorkerHost(tmp_path)
    furnish(host)
    with host.executor() as executor:
        host.inbox.put(host.order(THREE_STEPS, params={"number": 0}))
        work(executor)
        for number in range(RUNS):
            host.inbox.put(host.order(THREE_STEPS, params={"number": number + 1}))
        with calls() as made:
            work(executor)
    assert [report.outcome for report in host.heard(Report)] == ["changed"] * (RUNS + 1)
    assert 0 < made["calls"] / RUNS <= 6_800


def test_order_of_a_batch_calls_a_bounded_number_of_functions(
    house: House, dispatcher: Dispatcher
) -> None:
    """Guards 40 hosts at a time: 354 calls a host to submit, 175 to send, 220 to record."""
    recorder = house.recorder().recorder
    for _ in range(2):  # the first time statements are spelled
        with calls() as submitted:
            run = house.submit()
        with calls() as sent:
            dispatcher.turn()
        letters = [host.report(house.order(run, name)) for name, host in house.hosts.items()]
        with calls() as recorded:
            recorder.record(letters)
    assert 0 < submitted["calls"] / HOSTS <= 440
    assert 0 < sent["calls"] / HOSTS <= 220
    assert 0 < recorded["calls"] / HOSTS <= 275
