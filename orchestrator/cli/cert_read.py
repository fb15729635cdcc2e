"""Certificates read from the store for the command line."""

from typing import TYPE_CHECKING

import click

from contract.instant import now_ms
from orchestrator.certificate import Certificate
from orchestrator.cli.session import open_store
from orchestrator.cli.visible import visible
from orchestrator.selector import Selector

if TYPE_CHECKING:
    from orchestrator.certificate_choice import Condition


def read_certificates(hosts: tuple[str, ...], condition: "Condition | None") -> list[Certificate]:
    """Return the certificates that are meant, as they stand now; say why there is none.

    Raises NoTargetError for a host that is not there.
    """
    with open_store() as store:
        records = store.certificates.all()
        known = store.hosts.targets()
    if hosts:
        names = {host.name for host in Selector(hosts=hosts).select(known)}
        records = [record for record in records if record.host in names]
    now = now_ms()
    certificates = [Certificate(record, now) for record in records]
    if not certificates:
        _note("no certificate is known yet: `denrei submit cert/scan --all` finds them")
    return _chosen(certificates, condition) if condition else certificates


def _chosen(certificates: list[Certificate], condition: "Condition") -> list[Certificate]:
    chosen = condition.choose(certificates)
    if certificates and not chosen.certificates:
        _note(f"none of {len(certificates)} certificates fits")
    if chosen.errors:
        first = f"the first is {chosen.errors[0]}"
        _note(f"left out {len(chosen.errors)} for which --where gave an error; {first}")
    return chosen.certificates


def _note(sentence: str) -> None:
    click.echo(visible(sentence), err=True)
