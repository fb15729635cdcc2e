"""Names and wildcards, as clients take them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.worker.certificate.witnesses import HELD, leaf
from worker.certificate.name import covers, share_a_name
from worker.certificate.witness import Held


@pytest.mark.parametrize(
    ("san", "name", "good"),
    [
        (("DNS:www.example.com",), "www.example.com", True),
        (("DNS:WWW.Example.com",), "www.EXAMPLE.com.", True),
        (("DNS:*.example.com",), "www.example.com", True),
        (("DNS:*.example.com",), "example.com", False),
        (("DNS:*.example.com",), "a.www.example.com", False),
        (("DNS:*.example.com",), ".example.com", False),
        (("DNS:w*.example.com",), "www.example.com", False),
        (("DNS:*.com",), "example.com", False),
        (("DNS:*",), "localhost", False),
        (("DNS:www.example.com",), "*.example.com", False),
        (("DNS:*.example.com",), "*.example.com", True),
        (("DNS:xn--bcher-kva.example",), "bücher.example", True),
        (("IP:10.0.0.1",), "10.0.0.1", True),
        (("IP:2001:db8::1",), "2001:0db8:0:0::1", True),
        (("IP:2001:db8::1",), "[2001:db8::1]", True),
        (("DNS:10.0.0.1",), "10.0.0.2", False),
        (("DNS:*.0.0.1",), "10.0.0.1", False),
        (("email:ops@example.com",), "example.com", False),
        ((), "", False),
    ],
)
def test_certificate_covers_a_name(san: tuple[str, ...], name: str, *, good: bool) -> None:
    assert covers(leaf(san=san), name) is good


def test_common_name_counts_only_without_other_names() -> None:
    """As for openssl: a common name beside alternative names is for people."""
    alone = replace(leaf(san=()), common_name="www.example.com")
    assert covers(alone, "www.example.com")
    assert not covers(replace(alone, san=("DNS:a.example.com",)), "www.example.com")
    assert covers(replace(alone, san=("email:ops@example.com",)), "www.example.com")


def test_certificates_of_one_service_share_a_name() -> None:
    """A renewal may add names, drop some, or turn to a wildcard."""
    www, wild = leaf("a"), leaf("b", san=("DNS:*.example.com",))
    assert share_a_name(www, leaf("b", san=("DNS:example.com", "DNS:www.example.com")))
    assert share_a_name(www, wild)
    assert share_a_name(wild, www)
    other = leaf("b", san=("DNS:example.com",))
    assert not share_a_name(www, other)
    assert not share_a_name(www, replace(other, subject=www.subject))  # O=Example may be all of it


def test_certificates_without_names_share_their_subject_or_their_key() -> None:
    """The agent's have no alternative names, and two common names that stay."""
    assert share_a_name(leaf("a", san=()), leaf("b", san=()))
    nameless = replace(leaf("a", san=()), subject="")
    assert not share_a_name(nameless, replace(nameless, sha256="b", public_key=b"b"))
    assert share_a_name(nameless, replace(nameless, sha256="b"))


@given(HELD, HELD)
def test_sharing_a_name_goes_both_ways(one: Held, other: Held) -> None:
    assert share_a_name(one.leaf, other.leaf) == share_a_name(other.leaf, one.leaf)
    assert share_a_name(one.leaf, one.leaf)


@given(HELD, st.text(max_size=20))
def test_any_text_may_be_asked_for(file: Held, name: str) -> None:
    """Whatever people take for a name: yes or no, never a traceback."""
    assert covers(file.leaf, name) in (True, False)
