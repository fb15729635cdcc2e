"""Reading schedules."""

from datetime import timedelta

import pytest

from contract.document import DocumentError
from orchestrator.schedule import Schedule, read_schedules
from orchestrator.selector import Selector
from orchestrator.timing import Cron, Every

GOOD = b"""\
timezone: Europe/Berlin
schedules:
  - name: nightly
    runbook: check
    targets: {all: true}
    cron: 30 2 * * *
  - name: often
    runbook: ./mine.yaml
    targets: {hosts: [web*, db1], labels: {env: prod}}
    every: 90s
    params: {workspace: abc, count: 3, force: true}
    secrets: {key: "@/run/key"}
    check: true
    reason: to be sure
    expires: 1m
"""


def test_schedules_good_file_is_read_whole() -> None:
    nightly, often = read_schedules(GOOD, "schedules.yaml")
    assert nightly == Schedule(
        name="nightly",
        runbook="check",
        selector=Selector(all=True),
        timing=Cron("30 2 * * *", "Europe/Berlin"),
    )
    assert often == Schedule(
        name="often",
        runbook="./mine.yaml",
        selector=Selector(hosts=("web*", "db1"), labels={"env": "prod"}),
        timing=Every(timedelta(seconds=90)),
        params={"workspace": "abc", "count": 3, "force": True},
        secrets={"key": "@/run/key"},
        check=True,
        reason="to be sure",
        expires_in=timedelta(minutes=1),
    )


@pytest.mark.parametrize("text", [b"", b"# nothing yet\n\n  # at all\n", b"schedules:\n"])
def test_schedules_file_without_any_holds_none(text: bytes) -> None:
    assert read_schedules(text, "schedules.yaml") == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"nightly", b"Nightly!", r"^s.yaml:3:11: .*is no name"),
        (b"nightly", b"often", r"^s.yaml:7:5: two schedules are named 'often'"),
        (b"{all: true}", b"{al: true}", r"^s.yaml:5:15: .*'al'; did you mean 'all'"),
        (b"{all: true}", b"{all: false}", r"^s.yaml:5:14: targets choose no host"),
        (b"30 2 * * *", b"30 25 * * *", r"^s.yaml:6:11: '30 25"),
        (b"cron:", b"crno:", r"no 'crno'; did you mean 'cron'"),
        (b"90s", b"10ms", r"a second is the shortest"),
        (b"    every: 90s\n", b"", r"needs either `every` or `cron`"),
        (b"Europe/Berlin", b"Europe/Berlni", r"unknown time zone"),
        (b'"@/run/key"', b"hunter22", r"^s.yaml:12:20: secret key: give a source, not the secret"),
        (b'"@/run/key"', b'"@run/key"', r"^s.yaml:12:20: secret key: .* needs the absolute path"),
        (b"count: 3", b"count: [3]", r"params must be a mapping of names to"),
    ],
)
def test_schedules_mistake_is_told_with_its_place(old: bytes, new: bytes, message: str) -> None:
    assert old in GOOD
    with pytest.raises(DocumentError, match=message):
        read_schedules(GOOD.replace(old, new, 1), "s.yaml")
