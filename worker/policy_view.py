"""What a policy says, for people in 80 columns and for machines."""

import textwrap

import click

from worker.display import Document, emit, plain
from worker.explanation import Explanation
from worker.policy import Policy, Ruling

_WIDTH = 80
_VERDICT, _RULE, _LABEL = 9, 14, 10
_BELOW = _VERDICT + 4


def show_explanation(found: Explanation, policy: Policy, file: str, format_: str) -> None:
    """Write every ruling, and whether it is allowed, to stdout."""
    if format_ == "json":
        emit(_document(found, policy, file))
        return
    runbook = found.request.runbook
    roles = ", ".join(sorted(found.request.roles))
    people = found.request.persons
    who = f"{roles}, {people} people" if people > 1 else roles
    what = f"{runbook.name} (sha256 {runbook.digest[:16]}), risk {runbook.risk}"
    click.echo(_wrapped("runbook", what))
    click.echo(_wrapped("asked by", who))
    click.echo(_wrapped("policy", file))
    click.echo()
    for ruling in found.rulings:
        verdict = "ok" if ruling.allowed else "REFUSED"
        head = f"{verdict:<{_VERDICT}}{ruling.rule:<{_RULE}}"
        click.echo(_wrapped(head, f"{ruling.subject}: {_why(ruling, policy)}", _BELOW))
    click.echo()
    click.echo(_result(found))


def _why(ruling: Ruling, policy: Policy) -> str:
    """Return which line allows something, or what would have to."""
    if not ruling.by:
        return "no rule allows it"
    place = policy.places.get(_key(ruling))
    return f"{ruling.by} ({place.line}:{place.column})" if place else ruling.by


def _key(ruling: Ruling) -> tuple[str, str]:
    role, _, rule = ruling.by.partition(": ")
    return (f"roles.{role}", rule) if ruling.rule == "roles" else (ruling.rule, ruling.by)


def _result(found: Explanation) -> str:
    against = [ruling for ruling in found.rulings if not ruling.allowed]
    if not against:
        return "allowed"
    rules = ", ".join(dict.fromkeys(ruling.rule for ruling in against))
    return f"refused as {against[0].reason} (rules: {rules})"


def _wrapped(label: str, value: str, below: int = _LABEL) -> str:
    return textwrap.fill(
        plain(value),
        _WIDTH,
        initial_indent=label.ljust(_LABEL),
        subsequent_indent=" " * below,
        break_on_hyphens=False,
    )


def _document(found: Explanation, policy: Policy, file: str) -> Document:
    runbook = found.request.runbook
    return {
        "policy": file,
        "runbook": runbook.name,
        "runbook_sha256": runbook.digest,
        "risk": runbook.risk.value,
        "roles": sorted(found.request.roles),
        "people": found.request.persons,
        "allowed": found.allowed,
        "rulings": [_ruling(ruling, policy) for ruling in found.rulings],
    }


def _ruling(ruling: Ruling, policy: Policy) -> Document:
    place = policy.places.get(_key(ruling))
    return {
        "rule": ruling.rule,
        "subject": ruling.subject,
        "allowed": ruling.allowed,
        "by": ruling.by or None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "reason": None if ruling.allowed else ruling.reason.value,
    }
