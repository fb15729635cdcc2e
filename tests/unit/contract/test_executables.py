"""What a runbook may start, as the host's policy is asked about it."""

from tests.unit.contract.runbook_text import load


def test_programs_of_a_runbook_include_those_that_an_action_counts_as() -> None:
    """No action is a way around the host's policy, not even one in a rescue."""
    head = "name: x\nobserve: {u: {unit: {name: a}}}\nsteps:\n- name: a\n  ensure: u.exists\n"
    assert load(head).executables({}) == frozenset()
    assert load(head + "  do: {wait: {duration: 1s}}\n").executables({}) == frozenset()
    text = head + "  do: {unit: {name: a, verb: start}}\n"
    assert load(text).executables({}) == {"/usr/bin/systemctl"}
    text += "  rescue:\n  - {name: b, ensure: u.exists, do: {signal: {signal: HUP, unit: a}}}\n"
    assert load(text).executables({}) == {"/usr/bin/systemctl", "/usr/bin/kill"}


def test_programs_that_a_parameter_names_are_asked_for_too() -> None:
    """A host's policy is not got around by handing the program in."""
    runbook = load(
        "name: x\n"
        "params:\n"
        "  test: {type: command, default: ''}\n"
        "  go: {type: command, default: /usr/sbin/x -t}\n"
        "observe: {test: {command: ['${params.test}', -q]}}\n"
        "steps: [{name: a, ensure: test.exists, do: {command: ['${params.go}']}}]\n"
    )
    assert runbook.executables({"test": "", "go": "/bin/sh -c 'x y'"}) == {"/bin/sh"}
    assert runbook.executables({"test": "/bin/t /bin/u", "go": "/bin/g"}) == {"/bin/t", "/bin/g"}
