"""What is in an order: its runbook, its parameters, its secrets; each checked as it is opened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from contract.document import DocumentError
from contract.envelope import EnvelopeError, open_envelope
from contract.key import SealKey
from contract.loader import load_runbook
from contract.order import MessageError, Order, decode, letter_digest
from contract.parameter import ParameterError, bind
from contract.runbook import Runbook
from contract.sealing import SealContext, SealError, unseal
from worker.verdict import Accepted, Reason, Refused

_REMEMBERED = 8  # runbooks


@dataclass(frozen=True, slots=True)
class Contents:
    """Opens orders with the host's key."""

    seal_key: SealKey

    def read(self, letter: bytes) -> Accepted:
        """Read an order WITHOUT verifying it. Raises Refused."""
        try:
            opened = open_envelope(letter)
            order = decode(opened.payload, Order)
        except (EnvelopeError, MessageError) as error:
            raise Refused(Reason.MALFORMED, str(error)) from None
        return self.open(order, letter_digest(letter), opened.signers)

    def open(self, order: Order, digest: str, key_ids: Iterable[str]) -> Accepted:
        """Return an order with everything in it checked and opened. Raises Refused."""
        runbook = _runbook(order)
        secrets = self._secrets(order)
        parameters = _parameters(order, runbook, secrets)
        given = tuple(secrets.values())
        return Accepted(order, digest, runbook, parameters, given, tuple(key_ids))

    def _secrets(self, order: Order) -> dict[str, str]:
        opened = {}
        for name, sealed in order.sealed_params.items():
            context = SealContext(order.run_id, order.host, order.epoch, order.runbook_sha256, name)
            try:
                opened[name] = unseal(sealed, self.seal_key, context)
            except SealError as error:
                raise Refused(Reason.BAD_SECRET, str(error), order.run_id) from None
        return opened


def _runbook(order: Order) -> Runbook:
    data = order.runbook_yaml.encode()
    if sha256(data).hexdigest() != order.runbook_sha256:
        detail = "the runbook is not the one whose digest the order names"
        raise Refused(Reason.DIGEST_MISMATCH, detail, order.run_id)
    try:
        runbook = _loaded(data, f"{order.runbook}.yaml")
    except DocumentError as error:
        raise Refused(Reason.BAD_RUNBOOK, str(error)[:2000], order.run_id) from None
    if runbook.name != order.runbook:
        detail = f"the runbook is {runbook.name!r}, the order says {order.runbook!r}"
        raise Refused(Reason.DIGEST_MISMATCH, detail, order.run_id)
    return runbook


@lru_cache(maxsize=_REMEMBERED)
def _loaded(data: bytes, file: str) -> Runbook:
    """Return a runbook, parsed and compiled once: most orders have the one of the last order.

    Compiling takes longer than anything else that is done with an order before its first step.
    """
    return load_runbook(data, file)


def _parameters(order: Order, runbook: Runbook, secrets: Mapping[str, str]) -> dict[str, Any]:
    secret_names = {p.name for p in runbook.parameters if p.secret}
    if misplaced := (set(order.params) & secret_names) | (set(secrets) - secret_names):
        detail = f"{', '.join(sorted(misplaced))} sent the wrong way (secret and plain mixed up)"
        raise Refused(Reason.BAD_PARAMETER, detail, order.run_id)
    try:
        return bind(runbook.parameters, {**order.params, **secrets}, runbook.profiles)
    except ParameterError as error:
        raise Refused(Reason.BAD_PARAMETER, str(error), order.run_id) from None
