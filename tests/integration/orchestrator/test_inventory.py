"""Hosts of the inventory."""

import pytest

from contract.names import HostNameError
from orchestrator.inventory import Inventory, InventoryError
from tests.orchestrator_house import House
from tests.signing_host import SigningHost


def test_inventory_host_added_is_listed_with_its_labels(house: House) -> None:
    added = house.admit(SigningHost("db1"), env="prod")
    assert [host.name for host in Inventory(house.store).list()] == ["db1", "web1"]
    assert Inventory(house.store).get("db1") == added
    assert added.labels == {"env": "prod"}


def test_inventory_same_keys_again_replace_the_labels(house: House) -> None:
    house.admit(house.hosts["web1"], env="test")
    assert house.admit(house.hosts["web1"], role="web").labels == {"role": "web"}


def test_inventory_other_keys_under_a_known_name_are_refused(house: House) -> None:
    with pytest.raises(InventoryError, match="denrei host remove web1"):
        house.admit(SigningHost("web1"))


def test_inventory_key_that_was_known_is_refused_even_after_its_removal(house: House) -> None:
    """A key stands for one enrolment for ever: what it once signed must not change its meaning."""
    old = house.hosts["web1"]
    with pytest.raises(InventoryError, match="web1's"):
        house.admit(SigningHost("db1", old.key))
    Inventory(house.store).remove("web1")
    for name in ("db1", "web1"):
        with pytest.raises(InventoryError, match="web1's"):
            house.admit(SigningHost(name, old.key))


def test_inventory_removed_host_comes_back_in_a_new_epoch_with_new_keys(house: House) -> None:
    Inventory(house.store).remove("web1")
    new = SigningHost("web1")
    assert house.admit(new).epoch == 2
    current = [key for key in house.store.hosts.signing_keys() if key.removed_at is None]
    assert [(key.sign_key, key.epoch) for key in current] == [(new.public.sign, 2)]
    Inventory(house.store).remove("web1")
    assert house.admit(SigningHost("web1")).epoch == 3


def test_inventory_unknown_host_is_told_with_a_near_name(house: House) -> None:
    with pytest.raises(InventoryError, match="did you mean 'web1'"):
        Inventory(house.store).get("wbe1")


def test_inventory_names_and_labels_of_no_use_are_refused(house: House) -> None:
    inventory = Inventory(house.store)
    with pytest.raises(HostNameError):
        house.admit(SigningHost("../x"))
    with pytest.raises(InventoryError, match="label"):
        house.admit(SigningHost("db1"), env="pr od")
    assert [host.name for host in inventory.list()] == ["web1"]
