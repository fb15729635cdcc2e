"""Hosts of the inventory."""

import pytest

from contract.names import HostNameError
from orchestrator.inventory import Inventory, InventoryError
from tests.orchestrator_house import House
from tests.signing_host import SigningHost


def test_inventory_host_added_is_listed_with_its_labels(house: House) -> None:
    added = Inventory(house.store).add(SigningHost("db1").public, {"env": "prod"})
    assert [host.name for host in Inventory(house.store).list()] == ["db1", "web1"]
    assert Inventory(house.store).get("db1") == added
    assert added.labels == {"env": "prod"}


def test_inventory_same_keys_again_replace_the_labels(house: House) -> None:
    inventory = Inventory(house.store)
    inventory.add(house.hosts["web1"].public, {"env": "test"})
    assert inventory.add(house.hosts["web1"].public, {"role": "web"}).labels == {"role": "web"}


def test_inventory_other_keys_under_a_known_name_are_refused(house: House) -> None:
    with pytest.raises(InventoryError, match="denrei host remove web1"):
        Inventory(house.store).add(SigningHost("web1").public, {})


def test_inventory_key_of_another_host_is_refused_even_after_its_removal(house: House) -> None:
    """A key stands for one host for ever: what it once signed must not change its meaning."""
    inventory, thief = Inventory(house.store), SigningHost("db1", house.hosts["web1"].key)
    with pytest.raises(InventoryError, match="web1's"):
        inventory.add(thief.public, {})
    inventory.remove("web1")
    with pytest.raises(InventoryError, match="web1's"):
        inventory.add(thief.public, {})


def test_inventory_removed_host_may_come_back_with_old_or_new_keys(house: House) -> None:
    inventory, old = Inventory(house.store), house.hosts["web1"]
    inventory.remove("web1")
    inventory.add(SigningHost("web1").public, {})
    inventory.remove("web1")
    inventory.add(old.public, {})
    current = [key for key in house.store.hosts.signing_keys() if key.removed_at is None]
    assert [key.sign_key for key in current] == [old.public.sign]
    assert len(house.store.hosts.signing_keys()) == 2


def test_inventory_unknown_host_is_told_with_a_near_name(house: House) -> None:
    with pytest.raises(InventoryError, match="did you mean 'web1'"):
        Inventory(house.store).get("wbe1")


def test_inventory_names_and_labels_of_no_use_are_refused(house: House) -> None:
    inventory = Inventory(house.store)
    with pytest.raises(HostNameError):
        inventory.add(SigningHost("../x").public, {})
    with pytest.raises(InventoryError, match="label"):
        inventory.add(SigningHost("db1").public, {"env": "pr od"})
    assert [host.name for host in inventory.list()] == ["web1"]
