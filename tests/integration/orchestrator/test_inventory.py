"""Hosts of the inventory."""

import pytest

from contract.names import HostNameError
from orchestrator.inventory import Inventory, InventoryError, changed_labels
from tests.orchestrator_house import House
from tests.signing_host import SigningHost


def test_inventory_host_added_is_listed_with_its_labels(house: House) -> None:
    added = house.admit(SigningHost("db1"), env="prod")
    assert [host.name for host in Inventory(house.store).list()] == ["db1", "web1"]
    assert Inventory(house.store).get("db1") == added
    assert added.labels == {"env": "prod"}


def test_inventory_same_keys_again_are_the_member_that_is_there(house: House) -> None:
    """An enrolment that was cut off is done again; labels are changed by another way."""
    before = Inventory(house.store).get("web1")
    assert house.admit(house.hosts["web1"], env="test") == before


def test_inventory_labels_replaced_come_with_a_newer_admission(house: House) -> None:
    inventory, key = Inventory(house.store), house.home.registrar_key()
    before = inventory.get("web1")
    after = inventory.label("web1", {"role": "web"}, key)
    assert after.labels == {"role": "web"}
    assert after.admission_at > before.admission_at
    assert inventory.label("web1", {"role": "web"}, key) == after


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        (["env=prod"], {"role": "web", "env": "prod"}),
        (["role=db"], {"role": "db"}),
        (["role-"], {}),
        (["role-", "env=a=b"], {"env": "a=b"}),
    ],
)
def test_labels_changed_as_asked(changes: list[str], labels: dict[str, str]) -> None:
    assert changed_labels({"role": "web"}, changes) == labels


@pytest.mark.parametrize("change", ["env", "env-", "-", ""])
def test_labels_change_that_is_none_is_told(change: str) -> None:
    with pytest.raises(InventoryError, match="changes nothing"):
        changed_labels({"role": "web"}, [change])


def test_inventory_new_keys_of_the_next_epoch_take_the_place_of_the_old(house: House) -> None:
    """The former self is nobody from that moment: its key is believed no more."""
    new = SigningHost("web1", epoch=2)
    assert house.admit(new).epoch == 2
    assert house.store.hosts.keys([house.hosts["web1"].key.public.id]) == []
    assert house.store.hosts.keys([new.key.public.id])


@pytest.mark.parametrize("epoch", [1, 3])
def test_inventory_epoch_that_is_not_the_next_is_refused(house: House, epoch: int) -> None:
    with pytest.raises(InventoryError, match="make another token"):
        house.admit(SigningHost("web1", epoch=epoch))


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
    new = SigningHost("web1", epoch=2)
    assert house.admit(new).epoch == 2
    current = [key for key in house.store.hosts.signing_keys() if key.removed_at is None]
    assert [(key.sign_key, key.epoch) for key in current] == [(new.key.public.text, 2)]
    Inventory(house.store).remove("web1")
    assert house.admit(SigningHost("web1", epoch=3)).epoch == 3


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
