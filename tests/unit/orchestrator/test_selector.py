"""Which hosts are meant."""

import pytest

from orchestrator.selector import NoTargetError, Selector
from orchestrator.store.target_record import Target


def host(name: str, **labels: str) -> Target:
    return Target(name, 1, "", labels)


KNOWN = [
    host("web2", env="prod", role="web"),
    host("web1", env="test", role="web"),
    host("db1", env="prod"),
]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        (Selector(all=True), ["db1", "web1", "web2"]),
        (Selector(hosts=("web1",)), ["web1"]),
        (Selector(hosts=("web*", "db1")), ["db1", "web1", "web2"]),
        (Selector(labels={"env": "prod"}), ["db1", "web2"]),
        (Selector(labels={"env": "prod", "role": "web"}), ["web2"]),
        (Selector(hosts=("web?",), labels={"env": "prod"}), ["web2"]),
        (Selector(all=True, labels={"env": "test"}), ["web1"]),
    ],
)
def test_selector_chooses_what_fits_sorted_by_name(selector: Selector, names: list[str]) -> None:
    assert [chosen.name for chosen in selector.select(KNOWN)] == names


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        (Selector(), "no target"),
        (Selector(hosts=("web1", "wbe2")), r"no host 'wbe2'; did you mean 'web2'"),
        (Selector(hosts=("mail*",)), r"no host fits 'mail\*'"),
        (
            Selector(hosts=("web1",), labels={"env": "prod"}),
            r"no host fits --host web1 -l env=prod",
        ),
    ],
)
def test_selector_that_fits_nothing_says_what(selector: Selector, message: str) -> None:
    with pytest.raises(NoTargetError, match=message):
        selector.select(KNOWN)


def test_selector_empty_inventory_says_how_to_add_a_host() -> None:
    with pytest.raises(NoTargetError, match="denrei host enrol"):
        Selector(all=True).select([])
