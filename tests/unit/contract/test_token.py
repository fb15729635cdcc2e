"""The token of an enrolment: one spelling, nothing else believed, its secret never shown."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.order import encode
from contract.token import MAX_TOKEN, PREFIX, Token, TokenError

SECRET = "5e" * 32


def token(**changes: Any) -> Token:
    values: dict[str, Any] = {
        "host": "web1",
        "epoch": 1,
        "id": "1d" * 16,
        "secret": SECRET,
        "expires_at": 1_790_000_000_000,
        "broker": "rediss://enrol.x:pw@broker.example:6380/0",
        "roots": "0a" * 32,
    }
    return Token(**{**values, **changes})


def spelt(payload: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(payload).decode().rstrip("=")


def _json(members: dict[str, Any]) -> bytes:
    return msgspec.json.encode(members, order="sorted")


def test_token_copied_with_space_around_it_is_read_back() -> None:
    """What a person copies with a line's end is the token that was printed."""
    assert Token.parse(f"  {token().spell()}\n") == token()


@given(at=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=6))
def test_token_with_one_changed_bit_is_refused_or_the_very_same(at: int, bit: int) -> None:
    """A changed character never gives a token that spells itself otherwise than it was given."""
    line = token().spell()
    at %= len(line)
    changed = line[:at] + chr(ord(line[at]) ^ (1 << bit)) + line[at + 1 :]
    try:
        found = Token.parse(changed)
    except TokenError:
        return
    assert found.spell() == changed.strip()
    assert found != token()


@given(st.integers(min_value=0, max_value=len(token().spell()) - 1))
def test_token_cut_short_is_refused(length: int) -> None:
    """Half a token is none, wherever it was cut."""
    with pytest.raises(TokenError):
        Token.parse(token().spell()[:length])


@given(st.text(max_size=200))
def test_any_text_after_the_prefix_is_refused_in_one_sentence(text: str) -> None:
    """Whatever somebody pastes, the error is ours and does not repeat it."""
    with pytest.raises(TokenError, match=r"damaged|is no token"):
        Token.parse(PREFIX + text)


_UNLIKE: list[tuple[str, Any]] = [
    ("host", "Web 1"),
    ("host", "../web1"),
    ("epoch", 0),
    ("epoch", True),
    ("id", "1D" * 16),
    ("secret", "5e" * 31),
    ("expires_at", -1),
    ("broker", "http://broker.example"),
    ("broker", ""),
    ("roots", "0a"),
]


@pytest.mark.parametrize(("member", "value"), _UNLIKE)
def test_token_with_a_member_that_can_not_be_is_refused(member: str, value: Any) -> None:
    """A name that would leave its queue, a broker that can't be used: refused where it is read."""
    members = {**msgspec.to_builtins(token()), member: value}
    with pytest.raises(TokenError, match="damaged"):
        Token.parse(spelt(_json(members)))


def test_token_with_a_member_too_many_or_too_few_is_refused() -> None:
    """A token has exactly its members."""
    members = msgspec.to_builtins(token())
    with pytest.raises(TokenError):
        Token.parse(spelt(_json({**members, "admin": True})))
    del members["roots"]
    with pytest.raises(TokenError):
        Token.parse(spelt(_json(members)))


def test_token_spelt_otherwise_is_refused() -> None:
    """The same members with a space, or with padding, are not the token that was printed."""
    spaced = msgspec.json.format(encode(token()), indent=1)
    for line in (spelt(spaced), token().spell() + "="):
        with pytest.raises(TokenError):
            Token.parse(line)


def test_token_longer_than_any_is_refused_unread() -> None:
    """No length of input makes the reader work."""
    with pytest.raises(TokenError):
        Token.parse(PREFIX + "A" * (MAX_TOKEN + 1))


def test_longest_token_is_still_read() -> None:
    """The longest name and URL that a token may have fit into one."""
    longest = token(host="h" * 63, broker="redis://" + "b" * 1992, epoch=2**53)
    assert Token.parse(longest.spell()) == longest


def test_token_shown_has_neither_secret_nor_password() -> None:
    """What ends in a log or a traceback opens nothing."""
    assert SECRET not in repr(token())
    assert "pw" not in repr(token())


def test_error_about_a_token_does_not_repeat_it() -> None:
    """A mistyped token is still a credential."""
    line = token().spell()[:-3]
    with pytest.raises(TokenError) as caught:
        Token.parse(line)
    assert line[10:40] not in str(caught.value)


_BOUND: list[tuple[str, Any]] = [
    ("secret", "6e" * 32),
    ("host", "web2"),
    ("epoch", 2),
    ("id", "2d" * 16),
]


@pytest.mark.parametrize(("member", "value"), _BOUND)
def test_shared_key_of_another_name_epoch_or_token_is_another(member: str, value: Any) -> None:
    """What the orchestrator keeps is good for this name, this epoch and this token."""
    assert token(**{member: value}).shared_key() != token().shared_key()


def test_shared_key_does_not_hold_the_secret() -> None:
    """Whoever reads the orchestrator's store learns no token."""
    assert SECRET not in token().shared_key()
