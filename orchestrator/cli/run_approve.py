"""Approving a run: show what its operator signed, ask, sign it too, and tell what it waits for."""

import sys

import click

from orchestrator.approval import Approval, approve, prepare
from orchestrator.cli.moment import clock
from orchestrator.cli.output import Format
from orchestrator.cli.run_follow import show_run
from orchestrator.cli.run_lookup import find_run
from orchestrator.cli.session import open_home, operator_key
from orchestrator.cli.visible import show_value, visible
from orchestrator.store.record import HostRun
from orchestrator.succession import keyring_in_force

_FEW = 10  # hosts that are named one by one


def approve_run(prefix: str, format_: Format, *, yes: bool) -> None:
    """Approve a run wherever it waits for it. Raises ApprovalError if that is nowhere."""
    home = open_home()
    with home.open_store() as store:
        run = find_run(store, prefix)
        host_runs = store.runs.host_runs(run.run_id, reports=False)
        key, keyring = operator_key(home, store), keyring_in_force(home, store)
        approval = prepare(run, host_runs, key, keyring, store)
        _show(approval)
        if not yes and sys.stdin.isatty():
            click.confirm(f"Approve it as {approval.person}?", abort=True, err=True)
        taken = approve(approval, key, store)
        _tell(f"approved by {approval.person}: {_standing(taken)}")
        if format_ is not Format.TABLE:
            show_run(run, store.runs.host_runs(run.run_id), format_)
    _tell(f"follow it with: denrei run watch {run.run_id}")


def _show(approval: Approval) -> None:
    """Tell what is signed, from the signed orders themselves."""
    orders = [pending.order for pending in approval.pending]
    first, hosts = orders[0], [order.host for order in orders]
    more = f" and {len(hosts) - _FEW} more" if len(hosts) > _FEW else ""
    secrets = [f"{name} (sealed)" for name in first.sealed_params]
    params = [f"{name}={show_value(value)}" for name, value in first.params.items()]
    people = sorted(set().union(*(pending.signed_by for pending in approval.pending)))
    facts = [
        ("runbook", f"{first.runbook} (sha256 {first.runbook_sha256})"),
        ("mode", "check: nothing is changed" if first.check else "for real"),
        ("params", " ".join([*params, *secrets])),
        ("hosts", ", ".join(hosts[:_FEW]) + more),
        ("asked by", f"{first.operator}, signed by {', '.join(people)}"),
        ("because", first.reason),
        ("expires", clock(first.expires_at)),
    ]
    for name, value in facts:
        if value:
            _tell(f"{name + ':':<10}{value}")


def _standing(taken: list[HostRun]) -> str:
    most = max(host_run.awaits for host_run in taken)
    where = "1 host" if len(taken) == 1 else f"{len(taken)} hosts"
    if not most:
        return f"it goes to {where}"
    return f"{where} still wait for {most} more " + ("person" if most == 1 else "people")


def _tell(line: str) -> None:
    click.echo(visible(line), err=True)
