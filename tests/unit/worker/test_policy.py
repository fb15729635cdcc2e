"""The host's policy: closed by default, read strictly, and not to be walked around."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.policy import PERMISSIVE, Policy, PolicyError, load_policy

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def test_policy_without_rules_allows_nothing() -> None:
    assert not Policy().allows_runbook("check", DIGEST)
    assert Policy().forbidden(["/bin/true"]) == ["/bin/true"]


@pytest.mark.parametrize(
    ("rule", "allows"),
    [
        ("*", True),
        ("check", True),
        ("ch?ck", True),
        ("ch*", True),
        (f"sha256:{DIGEST}", True),
        ("Check", False),
        ("chec", False),
        ("", False),
        (DIGEST, False),
        (f"sha256:{DIGEST[:-1]}", False),
        (f"SHA256:{DIGEST}", False),
        (f"sha256:{'0' * 64}", False),
    ],
)
def test_runbook_is_allowed_by_name_pattern_or_digest_alone(rule: str, allows: bool) -> None:  # noqa: FBT001
    assert Policy(runbooks=("other", rule)).allows_runbook("check", DIGEST) is allows


@pytest.mark.parametrize(
    ("program", "allowed"),
    [
        ("/opt/agent/bin/control", True),
        ("/usr/bin/openssl", True),
        ("/usr/bin/openssl2", False),
        ("/usr/bin", False),
        ("/bin/sh", False),
        ("opt/agent/bin/control", False),
        ("/opt/agent/bin/../../../bin/sh", False),
        ("/opt/agent/bin/./control", False),
        ("/opt/agent/bin//control", False),
        ("//opt/agent/bin/control", False),
        ("/OPT/agent/bin/control", False),
        ("/opt/agent/bin/", False),
        ("", False),
    ],
)
def test_program_is_allowed_by_its_plain_absolute_path_alone(program: str, allowed: bool) -> None:  # noqa: FBT001
    """No detour through `..` or doubled slashes turns one program into another."""
    policy = Policy(executables=("/opt/agent/bin/*", "/usr/bin/openssl"))
    assert policy.forbidden([program]) == ([] if allowed else [program])


def test_forbidden_programs_are_told_sorted() -> None:
    assert Policy().forbidden({"/b", "/a"}) == ["/a", "/b"]


def load(tmp_path: Path, text: str | bytes) -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_policy(path)


def test_policy_that_init_writes_allows_all_and_says_how_to_close_it(tmp_path: Path) -> None:
    assert load(tmp_path, PERMISSIVE) == Policy(runbooks=("*",), executables=("*",))
    assert "sha256:" in PERMISSIVE


def test_policy_with_one_list_allows_nothing_of_the_other(tmp_path: Path) -> None:
    assert load(tmp_path, "runbooks: [check]") == Policy(runbooks=("check",))
    assert load(tmp_path, "executables: [/bin/true]") == Policy(executables=("/bin/true",))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("runbook: [check]", ":1:1: the policy has no 'runbook'; did you mean 'runbooks'?"),
        ("runbooks: check", ":1:11: runbooks must be a list of texts"),
        ("runbooks: [1]", ":1:11: runbooks must be a list of texts"),
        ("runbooks: [[a]]", ":1:11: runbooks must be a list of texts"),
        ("runbooks: [a]\nrunbooks: ['*']", ":2:1: 'runbooks' is here twice"),
        ("runbooks: &x [a]", ":1:11: anchors and aliases are not allowed"),
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


def test_policy_that_is_missing_or_no_file_allows_nothing(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(PolicyError, match=f"can't read {path}: .*; nothing is allowed"):
            load_policy(path)


@given(st.lists(st.sampled_from(["..", ".", "", "bin", "opt", "agent", "sh"]), max_size=8))
def test_program_reached_over_any_detour_is_never_allowed(parts: list[str]) -> None:
    program = "/opt/agent/" + "/".join(parts)
    if not Policy(executables=("/opt/agent/*",)).forbidden([program]):
        resolved = Path("/", *(part for part in program.split("/") if part))
        assert ".." not in resolved.parts
        assert resolved.is_relative_to("/opt/agent")
