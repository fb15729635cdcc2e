"""What lies in a new home: of the founder of a fleet, or of one more person of it."""

from contract.instant import now_ms
from contract.key import SigningKey
from contract.succession import fingerprint, read_keyring
from orchestrator.founding import Founders, found
from orchestrator.home import SERVICES, Home
from orchestrator.key_file import NewKeys
from orchestrator.store.store import Store, StoreError

_EMPTY_SCHEDULES = """\
# Runbooks that run by the clock, while `denrei server --beat` runs. For example:
#
# schedules:
#   - name: nightly-check
#     runbook: check
#     targets: {all: true}
#     cron: "30 2 * * *"     # or: every: 6h
"""


def settle(home: Home, keys: NewKeys) -> str:
    """Make the keys and the first keyring, where they are not there from a first attempt.

    Return the fingerprint of the fleet's roots. Raises StoreError, KeyFileError, OSError.
    """
    _make_directories(home, "keys/person", "keys/service", "runbooks")
    if not home.schedules.exists():
        home.schedules.write_text(_EMPTY_SCHEDULES)
    founders = Founders(
        operator=home.operator,
        person=keys.person(home.person_key(home.operator)),
        root=keys.file(home.root_key),
        services={name: SigningKey.at(home.service_key(name)) for name in SERVICES},
    )
    with Store.create(home.store_url) as store:
        if not store.keyrings.newest_version():
            now = now_ms()
            store.keyrings.add(found(founders, now), now)
        return _first_roots(store)


def move_in(home: Home, keys: NewKeys) -> str:
    """Make a person's key beside a fleet that is there, and nothing else.

    Return the fingerprint of the fleet's roots. Raises StoreError, KeyFileError, OSError.
    """
    with home.open_store() as store:
        if not store.keyrings.newest_version():
            where = "the store has no keyring: nobody has founded a fleet there"
            raise StoreError(f"{where}, so there is nothing to join")
        roots = _first_roots(store)
    _make_directories(home, "keys/person", "runbooks")
    keys.person(home.person_key(home.operator))
    return roots


def _make_directories(home: Home, *names: str) -> None:
    for name in ("", "keys", *names):
        (home.path / name).mkdir(mode=0o700, parents=True, exist_ok=True)


def _first_roots(store: Store) -> str:
    return fingerprint(read_keyring(store.keyrings.after(0)[0]).roots)
