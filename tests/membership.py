"""Hosts of tests become members by what an enrolment brings, without anybody asked."""

from contract.broker import NO_FILES
from contract.key import SealKey, SigningKey
from contract.whole_file import write_whole
from orchestrator.home import Home
from orchestrator.inventory import Applicant, Inventory
from orchestrator.store.store import Store
from tests.fleet_keys import FleetKeys
from worker.admitted import Admitted
from worker.config import Config
from worker.host_keys import HostKeys
from worker.setup import Choices, Drafts, make_directories, settle


def make_member(config: Config, broker: str, fleet: FleetKeys) -> None:
    """Make a host's files, as a member of a fleet that tests play."""
    make_directories(config)
    drafts = Drafts.of(config, "0" * 32)
    keys = HostKeys.at(drafts.sign, drafts.seal)
    letter = fleet.admission(config.name, keys.sign, keys.seal)
    admitted = Admitted(fleet.membership(letter), letter, broker)
    settle(config, drafts, admitted, Choices("permissive", NO_FILES))


def go_by(config: Config, keyring: bytes, admission: bytes) -> None:
    """Let a host go by other letters from now on."""
    write_whole(config.keyring, keyring)
    write_whole(config.admission, admission)


def join_home(config: Config, home: Home, store: Store) -> None:
    """Let a host go over to the fleet of a home, with the keys that it has."""
    sign, seal = SigningKey.load(config.sign_key), SealKey.load(config.seal_key)
    applicant = Applicant(config.name, 1, sign.public.text, seal.public.text, {})
    host = Inventory(store).admit(applicant, home.registrar_key())
    go_by(config, store.keyrings.newest_letter(), host.admission)
