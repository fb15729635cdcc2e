"""The options that say which certificates are meant; what is wrong with them is found at once."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from orchestrator.cli.completing import complete_host

if TYPE_CHECKING:
    from orchestrator.certificate import Certificate
    from orchestrator.certificate_choice import Condition


class CertFormat(StrEnum):
    """How to write certificates to stdout."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    YAML = "yaml"
    CSV = "csv"  # for spreadsheets
    ICS = "ics"  # a calendar of renewals and outages


@dataclass(frozen=True, slots=True)
class Choice:
    """Which certificates are meant."""

    hosts: tuple[str, ...]
    condition: "Condition | None"

    def read(self) -> "list[Certificate]":
        """Return them from the store. Raises NoTargetError for a host that is not there."""
        from orchestrator.cli.cert_read import read_certificates

        return read_certificates(self.hosts, self.condition)


class Where(click.ParamType["Condition"]):
    """A condition in CEL over the fields of a certificate."""

    name = "cel"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "Condition":
        """Compile the condition; what is wrong with it becomes a usage error."""
        from orchestrator.certificate_choice import Condition, ConditionError

        if isinstance(value, Condition):
            return value
        try:
            return Condition(value)
        except ConditionError as error:
            self.fail(str(error), param, ctx)


class Column(click.ParamType[str]):
    """A field of a certificate."""

    name = "field"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; an unknown one becomes a usage error."""
        from orchestrator.certificate_choice import ConditionError, check_column

        try:
            return check_column(value)
        except ConditionError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the fields that begin so."""
        from orchestrator.certificate import FIELDS

        del ctx, param
        return [CompletionItem(name) for name in FIELDS if name.startswith(incomplete)]


def choice_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--host` and `--where` to a command."""
    where = click.option(
        "--where",
        "condition",
        type=Where(),
        metavar="CEL",
        help="Only where this holds, such as 'verdict == \"stale_in_memory\" && days_left < 30'.",
    )
    host = click.option(
        "--host",
        "hosts",
        multiple=True,
        metavar="NAME",
        shell_complete=complete_host,
        help="Only of this host, by name or glob; may be repeated.",
    )
    return host(where(function))


def format_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `-o/--format` with the formats of certificates."""
    return click.option(
        "-o",
        "--format",
        "format_",
        type=click.Choice([each.value for each in CertFormat]),
        default=CertFormat.TABLE.value,
        show_default=True,
        callback=lambda _ctx, _param, value: CertFormat(value),
        help="How to write the result to stdout.",
    )(function)
