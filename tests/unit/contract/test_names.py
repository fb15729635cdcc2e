"""Host names: they become parts of queue names, ACL rules and file names."""

import pytest

from contract.names import HostNameError, check_host_name, host_queue


@pytest.mark.parametrize("name", ["web1", "a", "7", "db-2.example.org", "a_b", "x" * 63])
def test_host_name_of_plain_letters_is_taken(name: str) -> None:
    assert check_host_name(name) == name
    assert host_queue(name) == f"host.{name}"


@pytest.mark.parametrize(
    "name",
    [
        *("", "Web1", "-a", "a-", ".", "..", "a/b", "../a", "a b", "a\n", "a*", "~a", "é"),
        *("x" * 64, "web1 ~*", "host:1", "\x1b[31m"),
    ],
)
def test_host_name_with_anything_else_is_refused(name: str) -> None:
    """No name reaches another host's queue, an ACL pattern, or another folder."""
    with pytest.raises(HostNameError, match="can't be a host's name"):
        check_host_name(name)
