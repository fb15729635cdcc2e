"""Who signs here: a person whom the keyring in force knows, by a key of theirs that counts."""

from contract.error import DenreiError
from contract.key import Passphrase, Signer
from contract.keyring import Keyring, Person
from contract.parameter import did_you_mean
from orchestrator.home import Home


class PersonError(DenreiError):
    """Hosts would not believe whoever is to sign: it is said before anything is signed."""


def signer_of(home: Home, keyring: Keyring, passphrase: Passphrase, now: int) -> Signer:
    """Return the operator's key. Raises PersonError, KeyFileError."""
    person = _person(keyring, home.operator)
    key = home.operator_key(passphrase)
    window = next((each for each in person.keys if each.key == key.public.text), None)
    if window is None:
        message = f"the keyring does not know this key of {person.name} ({key.public.id})"
        raise PersonError(f"{message}; it takes `denrei key add {person.name} {key.public.text}`")
    if not window.counts_at(now):
        message = f"this key of {person.name} ({key.public.id}) does not count"
        raise PersonError(f"{message}; `denrei key list` says why")
    return key


def _person(keyring: Keyring, name: str) -> Person:
    known = {person.name: person for person in keyring.people}
    if name not in known:
        message = f"the keyring knows no person {name!r}{did_you_mean(name, known)}"
        raise PersonError(f"{message}; `denrei key list` lists them, `denrei key add` adds one")
    return known[name]
