"""Prepares a host: directories, keys, ledger, policy and worker.yaml; and whom it trusts."""

import os
from pathlib import Path

from contract.broker import check_broker_url
from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import SealKey, SigningKey
from contract.names import check_host_name
from contract.succession import fingerprint, read_keyring
from contract.trust import HostKeys, Welcome, save_public
from worker.config import Config
from worker.courier_config import CourierConfig
from worker.ledger_file import create_ledger
from worker.mailbox import sync_directory
from worker.membership import Membership, join, keep
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
            _write(config.policy, shipped_policy("permissive"), 0o644)
        _write(courier.path, courier.to_yaml(), 0o640)  # its directory says who gets there
        _write(config.path, config.to_yaml(), 0o644)
    except OSError as error:
        message = f"can't prepare {error.filename or config.path.parent}: {error.strerror}"
        raise SetupError(message) from None


def _make_keys(config: Config) -> None:
    if not config.sign_key.exists():
        SigningKey.generate().save(config.sign_key)
    if not config.seal_key.exists():
        SealKey.generate().save(config.seal_key)
    keys = HostKeys(
        denrei_host=config.name,
        sign=SigningKey.load(config.sign_key).public.text,
        seal=SealKey.load(config.seal_key).public.text,
    )
    save_public(config.public, keys)


def take_welcome(config: Config, welcome: Welcome) -> Membership:
    """Become the member of a fleet that a file from its orchestrator says. Raises DenreiError."""
    keyring, admission = welcome.letters
    membership = join(keyring, admission, fingerprint(read_keyring(keyring).roots), now_ms())
    if membership.host != config.name:
        raise SetupError(f"it welcomes {membership.host!r}; this is {config.name!r}")
    try:
        keep(config.keyring, keyring)
        keep(config.admission, admission)
    except OSError as error:
        raise SetupError(f"can't write {error.filename}: {error.strerror}") from None
    return membership


def _write(path: Path, text: str, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), mode)  # whatever the umask
        os.fsync(file.fileno())
    temporary.rename(path)
    sync_directory(path.parent)
