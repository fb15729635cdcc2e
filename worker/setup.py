"""Prepares a host: directories, keys, ledger, policy and worker.yaml; and whom it trusts."""

from contract.broker import check_broker_url
from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import SealKey, SigningKey
from contract.names import check_host_name
from contract.succession import fingerprint, read_keyring
from contract.trust import HostKeys, Welcome, save_public
from contract.whole_file import write_whole
from worker.config import Config
from worker.courier_config import CourierConfig
from worker.ledger_file import create_ledger
from worker.membership import Membership, join
from worker.policy_file import shipped_policy


class SetupError(DenreiError):
    """A host can't be prepared: something is in the way or can't be written."""


def prepare(config: Config, broker: str) -> None:
    """Make all that a worker needs; worker.yaml comes last, so that it is only there when all is.

    What a first attempt left half done is completed. Raises DenreiError.
    """
    check_host_name(config.name)
    check_broker_url(broker)
    if config.path.exists():
        raise SetupError(f"{config.path} exists already; this host is prepared")
    try:
        courier = CourierConfig(config.courier_config, broker)
        ours = (config.sign_key.parent, config.inbox, config.outbox, config.locks)
        for directory in (*ours, config.courier, courier.path.parent):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make_keys(config)
        if not config.ledger.exists():
            create_ledger(config.ledger, now_ms())
        if not config.policy.exists():
            write_whole(config.policy, shipped_policy("permissive").encode(), 0o644)
        # The courier's directory says who gets to its file.
        write_whole(courier.path, courier.to_yaml().encode(), 0o640)
        write_whole(config.path, config.to_yaml().encode(), 0o644)
    except OSError as error:
        message = f"can't prepare {error.filename or config.path.parent}: {error.strerror}"
        raise SetupError(message) from None


def _make_keys(config: Config) -> None:
    keys = HostKeys(
        denrei_host=config.name,
        sign=SigningKey.at(config.sign_key).public.text,
        seal=SealKey.at(config.seal_key).public.text,
    )
    save_public(config.public, keys)


def take_welcome(config: Config, welcome: Welcome) -> Membership:
    """Become the member of a fleet that a file from its orchestrator says. Raises DenreiError."""
    keyring, admission = welcome.letters
    membership = join(keyring, admission, fingerprint(read_keyring(keyring).roots), now_ms())
    if membership.host != config.name:
        raise SetupError(f"it welcomes {membership.host!r}; this is {config.name!r}")
    try:
        write_whole(config.keyring, keyring)
        write_whole(config.admission, admission)
    except OSError as error:
        raise SetupError(f"can't write {error.filename}: {error.strerror}") from None
    return membership
