"""Makes a host's files, and puts in place what its enrolment brought; the admission comes last.

Each part may be done again: an enrolment that was cut off is completed by the same token, with the
same keys. Until the admission lies there no worker starts.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from contract.broker import BrokerFiles
from contract.error import DenreiError
from contract.instant import now_ms
from contract.names import check_host_name
from contract.whole_file import sync_directory, write_whole
from worker.admitted import Admitted
from worker.config import Config
from worker.courier_config import CourierConfig, load_courier_config
from worker.ledger_file import create_ledger
from worker.liveness import holder
from worker.membership import read_admission
from worker.policy_file import shipped_policy

_LEDGER_PARTS = ("", "-wal", "-shm")


class SetupError(DenreiError):
    """A host's files can't be made: something is in the way or can't be written."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """The keys of an enrolment that is under way: a host's own only when it is over."""

    sign: Path
    seal: Path

    @classmethod
    def of(cls, config: Config, token_id: str) -> "Drafts":
        """Name the files for one token, so that it is always asked for with the same keys."""
        sign, seal = config.sign_key, config.seal_key
        return cls(
            sign.with_name(f"{token_id}.{sign.name}"), seal.with_name(f"{token_id}.{seal.name}")
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person at the host decided."""

    policy: str  # a shipped one, for a host that has none
    files: BrokerFiles


def epoch_of(config: Config) -> int:
    """Return as which epoch a host is a member; 0 if it is none. Raises MembershipError."""
    return read_admission(config).epoch if config.admission.exists() else 0


def make_directories(config: Config) -> None:
    """Make all that a host needs to keep something in. Raises SetupError, HostNameError."""
    check_host_name(config.name)
    ours = (config.sign_key.parent, config.inbox, config.outbox, config.locks)
    try:
        for directory in (*ours, config.courier, config.courier_config.parent):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _failure(config, error) from None


def check_idle(config: Config) -> None:
    """See to it that no worker is running whose keys would be exchanged. Raises SetupError."""
    for process, lock in (("courier", config.courier_lock), ("executor", config.executor_lock)):
        if holder(lock):
            raise SetupError(f"the {process} is running; stop it first")


def settle(config: Config, drafts: Drafts, admitted: Admitted, choices: Choices) -> None:
    """Put everything in place that makes the host a member. Raises DenreiError."""
    check_idle(config)
    try:
        if config.admission.exists():
            _set_aside(config)
        if not config.ledger.exists():
            create_ledger(config.ledger, now_ms())
        if not config.policy.exists():
            write_whole(config.policy, shipped_policy(choices.policy).encode(), 0o644)
        write_whole(config.sign_key, drafts.sign.read_bytes())
        write_whole(config.seal_key, drafts.seal.read_bytes())
        courier = _courier(config, admitted.broker, choices.files)
        # The courier's directory says who gets to its file.
        write_whole(courier.path, courier.to_yaml().encode(), 0o640)
        write_whole(config.path, config.to_yaml().encode(), 0o644)
        write_whole(config.keyring, admitted.membership.keyring_letter)
        write_whole(config.admission, admitted.admission_letter)
        clear_drafts(config)
    except OSError as error:
        raise _failure(config, error) from None


def _courier(config: Config, broker: str, files: BrokerFiles) -> CourierConfig:
    """Return what the courier is told; what a person set for it stays."""
    told = CourierConfig(config.courier_config, broker, files)
    if not told.path.exists():
        return told
    return replace(told, keepalive=load_courier_config(told.path).keepalive)


def clear_drafts(config: Config) -> None:
    """Remove the keys of enrolments that are over. Raises OSError."""
    for final in (config.sign_key, config.seal_key):
        for draft in final.parent.glob(f"*.{final.name}"):
            draft.unlink()


def _set_aside(config: Config) -> None:
    """Keep what the host did under its former epoch where nothing takes it up again.

    The admission goes last: as long as it is there, this is begun anew.
    """
    former = config.state / f"epoch-{epoch_of(config)}"
    former.mkdir(mode=0o700, exist_ok=True)
    for letter in (*config.inbox.iterdir(), *config.outbox.iterdir()):
        letter.unlink()  # the ledger knows what was carried out, and no other epoch takes the rest
    ledger = [config.ledger.with_name(config.ledger.name + part) for part in _LEDGER_PARTS]
    for path in (*ledger, config.keyring, config.admission):
        if path.exists():
            path.rename(former / path.name)
    sync_directory(config.state)
    sync_directory(former)


def _failure(config: Config, error: OSError) -> SetupError:
    return SetupError(f"can't write {error.filename or config.path.parent}: {error.strerror}")
