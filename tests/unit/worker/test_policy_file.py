"""policy.yaml: read strictly, and only if nobody else could have written it."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from contract.document import DocumentError
from contract.runbook import Risk
from worker.policy import Policy
from worker.policy_file import KEYS, PolicyError, load_policy, read_policy, shipped_policy

WHOLE = """\
runbooks: [oms/check]
roles: {operator: ["oms/*"], scheduler: [oms/check]}
actions: [command, file.write]
executables: [/opt/agent/bin/*]
paths: {read: [/etc/agent], write: [/var/agent]}
units: [agent.service]
hours: ["Mon-Fri 08:00-18:00"]
max_run_time: 30m
min_protocol: 1
approvals: {high: 3}
"""


def load(tmp_path: Path, text: str | bytes) -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_policy(path)


def test_policy_of_every_rule_is_read(tmp_path: Path) -> None:
    policy = load(tmp_path, WHOLE)
    assert policy.roles == {"operator": ("oms/*",), "scheduler": ("oms/check",)}
    assert (policy.reads, policy.writes, policy.units) == (
        ("/etc/agent",),
        ("/var/agent",),
        ("agent.service",),
    )
    assert list(policy.hours or {}) == ["Mon-Fri 08:00-18:00"]
    assert policy.max_run_time == timedelta(minutes=30)
    assert policy.approvals == {Risk.NORMAL: 1, Risk.HIGH: 3}
    assert [line.partition(":")[0] for line in WHOLE.splitlines()] == list(KEYS)


def test_policy_knows_the_place_of_each_rule(tmp_path: Path) -> None:
    places = load(tmp_path, WHOLE).places
    assert str(places["actions", "file.write"]) == "Position(line=3, column=20)"
    assert (places["paths.write", "/var/agent"].line, places["roles.operator", "oms/*"].line) == (
        5,
        2,
    )


def test_policy_with_one_list_allows_nothing_of_the_others(tmp_path: Path) -> None:
    assert load(tmp_path, "runbooks: [check]") == Policy(runbooks=("check",))
    assert load(tmp_path, "executables: [/bin/true]") == Policy(executables=("/bin/true",))


def test_shipped_policies_are_read_and_only_the_lab_s_is_open() -> None:
    lab, strict = (read_policy(shipped_policy(n).encode(), n) for n in ("permissive", "strict"))
    assert (lab.reads, lab.approvals[Risk.HIGH]) == (("/",), 1)
    assert "*" not in (*strict.runbooks, *strict.actions, *strict.executables, *strict.units)
    assert "/" not in (*strict.reads, *strict.writes)
    assert strict.approvals[Risk.HIGH] == 2


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("runbook: [check]", ":1:1: the policy has no 'runbook'; did you mean 'runbooks'?"),
        ("runbooks: check", ":1:11: runbooks must be a list of texts"),
        ("runbooks: [1]", ":1:11: runbooks must be a list of texts"),
        ("runbooks: [[a]]", ":1:11: runbooks must be a list of texts"),
        ("runbooks: [a]\nrunbooks: ['*']", ":2:1: 'runbooks' is here twice"),
        ("runbooks: &x [a]", ":1:11: anchors and aliases are not allowed"),
        ("roles: [operator]", ":1:8: roles must be a mapping"),
        ("roles: {operator: '*'}", ":1:19: roles.operator must be a list of texts"),
        ("actions: [comand]", ":1:11: there is no action 'comand'; did you mean 'command'?"),
        ("paths: {reed: [/x]}", ":1:9: paths has no 'reed'; did you mean 'read'?"),
        ("paths: {read: [x]}", ":1:16: 'x' is no plain absolute path"),
        ("paths: {read: [/x/../y]}", ":1:16: '/x/../y' is no plain absolute path"),
        ("paths: {read: [/x/]}", ":1:16: '/x/' is no plain absolute path"),
        ("paths: {read: [/x/*]}", ":1:16: '/x/*' has wildcards"),
        ("hours: [always]", ":1:9: 'always' is no window such as `Mon-Fri 08:00-18:00`"),
        ("max_run_time: 30", ":1:15: max_run_time: "),
        ("min_protocol: 2", ":1:15: min_protocol is a whole number from 1 to 1"),
        ("approvals: {hihg: 2}", ":1:13: approvals has no 'hihg'; did you mean 'high'?"),
        ("approvals: {high: 0}", ":1:19: high is a whole number from 1 to 8"),
        ("approvals: {high: true}", ":1:19: high is a whole number from 1 to 8"),
        ("approvals: 2", ":1:12: approvals must be a mapping"),
        ("- check", ":1:1: the policy must be a mapping"),
        ("", ":1:1: the file is empty"),
        ("runbooks: [*]", "not YAML"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_policy_that_is_wrong_allows_nothing_and_says_where(
    text: str | bytes, complaint: str, tmp_path: Path
) -> None:
    """A slip of the pen closes the host; it never opens it."""
    with pytest.raises(PolicyError) as caught:
        load(tmp_path, text)
    assert complaint in str(caught.value)
    assert str(caught.value).endswith("; nothing is allowed")


def test_policy_s_problems_are_told_all_at_once() -> None:
    with pytest.raises(DocumentError) as caught:
        read_policy(b"units: 1\nhours: [x]\n", "p.yaml")
    assert [line[:11] for line in caught.value.lines()] == ["p.yaml:1:8:", "p.yaml:2:9:"]


def test_policy_that_is_missing_or_no_file_allows_nothing(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(PolicyError, match=f"can't read {path}: .*; nothing is allowed"):
            load_policy(path)


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_policy_that_others_can_write_to_allows_nothing(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(WHOLE)
    path.chmod(mode)
    with pytest.raises(PolicyError, match=r"can be written to by others; .*; nothing is allowed"):
        load_policy(path)


def test_policy_in_a_directory_that_others_can_write_to_allows_nothing(tmp_path: Path) -> None:
    """Whoever may rename files there can put another policy in its place."""
    (tmp_path / "policy.yaml").write_text(WHOLE)
    tmp_path.chmod(0o777)
    with pytest.raises(PolicyError, match="can be written to by others"):
        load_policy(tmp_path / "policy.yaml")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_policy_that_belongs_to_somebody_else_allows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(WHOLE)
    os.chown(path, 12345, -1)
    with pytest.raises(PolicyError, match="belongs to user 12345, and must belong to 0"):
        load_policy(path)
