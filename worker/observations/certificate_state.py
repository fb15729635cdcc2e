"""The observation `certificate_state`: one verdict from a certificate's file, process and port."""

from contract.certificate import CertificateVerdict
from contract.probe import CertificateState
from worker.certificate.fact import to_fact
from worker.certificate.judge import State
from worker.certificate.look import look
from worker.certificate.name import covers, names_of
from worker.certificate.witness import Held, KeyStatus, Running, Shown, Unreadable
from worker.observations.observation import CertificateFields, Fields, ObservationError
from worker.root import Root


def observe_certificate_state(arguments: CertificateState, root: Root) -> CertificateFields:
    """Look at the certificate from all sides that are named, and say how it stands with it."""
    state = look(arguments, root)
    file = state.witnesses.file
    if isinstance(file, Unreadable) and not file.was_read:
        raise ObservationError(file.why)
    if isinstance(file, Held) and file.key is KeyStatus.UNSEEN:
        raise ObservationError(file.key_note)
    fields = CertificateFields(
        verdict=state.verdict.value,
        reason=state.reason,
        confirmed=state.confirmed,
        fresh=state.verdict is CertificateVerdict.FRESH,
        **_outage(state),
        **_of_file(file if isinstance(file, Held) else None, state),
        **_of_process(state),
        **_of_port(state),
    )
    fields.certificates = (to_fact(state, arguments),)
    return fields


def _outage(state: State) -> Fields:
    return {"fails": True, "outage_at": state.outage_at} if state.outage_at else {"fails": False}


def _of_file(held: Held | None, state: State) -> Fields:
    if held is None or state.expiring_at is None:
        return {"exists": False}
    return {
        "exists": True,
        **held.leaf.fields(),
        "expiring_at": state.expiring_at,
        "chain_ends_at": held.ends_first.not_after,
        "chain_length": 1 + len(held.chain),
        "key_exists": held.key not in (KeyStatus.NOT_ASKED, KeyStatus.MISSING),
        "key_matches": held.key is KeyStatus.MATCHES,
    }


def _of_process(state: State) -> Fields:
    process = state.witnesses.process
    if not isinstance(process, Running):
        return {"running": False}
    return {"running": True, "pid": process.pid, "loaded_at": process.loaded_at}


def _of_port(state: State) -> Fields:
    wire, certificate = state.witnesses.wire, state.certificate
    if not isinstance(wire, Shown):
        return {"shown": False}
    held = state.witnesses.file
    named = dict.fromkeys(name for leaf in wire.leaves for name in names_of(leaf))
    lost = [n for n in named if not (isinstance(held, Held) and covers(held.leaf, n))]
    ours = certificate.sha256 if certificate else ""
    other = next((leaf for leaf in wire.leaves if leaf.sha256 != ours), wire.leaves[0])
    return {
        "shown": True,
        "served_not_before": other.not_before,
        "served_not_after": min(leaf.not_after for leaf in wire.leaves),
        "served_serial": other.serial,
        "served_sha256": other.sha256,
        "lost_names": lost,
    }
