"""What a broker can do to the letters of an enrolment: keep them, repeat them, nothing else."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.enrolment import (
    MAX_LETTER,
    Answer,
    Direction,
    EnrolmentError,
    Request,
    Verdict,
    broker_context,
    cover,
    key_fingerprint,
    make_request,
    open_answer,
    open_request,
    uncover,
)
from contract.envelope import PayloadType
from contract.key import SealKey, SigningKey
from contract.order import encode, letter_digest, sign_message
from contract.sealing import SealError, seal, unseal
from tests.unit.contract.test_token import token

KEY, SEAL, STRANGER = SigningKey.generate(), SealKey.generate(), SigningKey.generate()
TOKEN = token()
SHARED = TOKEN.shared_key()
ENVELOPE = make_request(TOKEN, KEY, SEAL.public, "1.2.3")
WEAK = base64.b64encode(b"\x01" + bytes(31)).decode()  # the neutral element: of small order


def answer(**changes: Any) -> Answer:
    values = {"request": letter_digest(ENVELOPE), "verdict": Verdict.HELD, "reason": "wait"}
    return Answer(**{**values, **changes})


def answered(key: str = SHARED, direction: Direction = Direction.ANSWER, **changes: Any) -> bytes:
    return cover(key, direction, TOKEN.id, encode(answer(**changes)))


def requested(**changes: Any) -> Request:
    request = open_request(ENVELOPE)
    return msgspec.structs.replace(request, **changes)


def test_request_of_the_same_keys_has_the_same_bytes() -> None:
    """A host that was interrupted asks again with the same request, not with a second one."""
    assert make_request(TOKEN, KEY, SEAL.public, "1.2.3") == ENVELOPE


def test_request_says_whose_it_is_and_holds_no_secret() -> None:
    """Name, epoch and keys are in it; the token's secret never travels."""
    request = open_request(ENVELOPE)
    assert (request.host, request.epoch, request.id) == (TOKEN.host, TOKEN.epoch, TOKEN.id)
    assert (request.sign, request.seal) == (KEY.public.text, SEAL.public.text)
    letter = cover(SHARED, Direction.REQUEST, TOKEN.id, ENVELOPE)
    assert TOKEN.secret.encode() not in letter + base64.b64decode(
        msgspec.json.decode(ENVELOPE)["payload"]
    )
    assert SHARED.encode() not in letter


def test_request_for_a_key_that_its_sender_does_not_have_is_refused() -> None:
    """Nobody enrols with another's public key: the request is signed by the key it names."""
    forged = sign_message(PayloadType.ENROLMENT, requested(), STRANGER)
    with pytest.raises(EnrolmentError, match="key nobody here trusts"):
        open_request(forged)


@pytest.mark.parametrize("member", ["sign", "seal"])
def test_request_with_a_key_of_small_order_is_refused(member: str) -> None:
    """A key with which anybody's signature verifies, or anybody reads, never gets in."""
    forged = sign_message(PayloadType.ENROLMENT, requested(**{member: WEAK}), KEY)
    with pytest.raises(EnrolmentError, match="small order"):
        open_request(forged)


def test_letter_of_another_type_is_no_request() -> None:
    """A pong that a host signed can't be offered as its request."""
    with pytest.raises(EnrolmentError, match="not a kind of letter"):
        open_request(sign_message(PayloadType.PONG, requested(), KEY))


def test_request_of_another_protocol_is_refused() -> None:
    """A version that is not spoken here is told so."""
    with pytest.raises(EnrolmentError, match="protocol 2 is not spoken"):
        open_request(sign_message(PayloadType.ENROLMENT, requested(v=2), KEY))


def test_answer_by_the_shared_key_is_read_back() -> None:
    """What the registrar said is what the host reads."""
    assert open_answer(answered(), TOKEN) == answer()


def test_answer_without_the_shared_key_is_refused() -> None:
    """A broker that writes can't answer."""
    for key in ("00" * 32, token(epoch=2).shared_key(), token(host="web2").shared_key()):
        with pytest.raises(EnrolmentError, match="nobody who knows this token"):
            open_answer(answered(key), TOKEN)


def test_answer_for_another_token_is_refused() -> None:
    """An answer that was kept back from another enrolment is of no use here."""
    other = cover(SHARED, Direction.ANSWER, "2d" * 16, encode(answer()))
    with pytest.raises(EnrolmentError, match="nobody who knows"):
        open_answer(other, TOKEN)


def test_letter_given_the_id_of_another_token_is_refused() -> None:
    """Which token a letter is about is vouched for with the rest of it."""
    other = token(id="2d" * 16)
    moved = answered().replace(TOKEN.id.encode(), other.id.encode())
    assert not uncover(moved).is_by(SHARED, Direction.ANSWER)


def test_letter_sent_back_in_the_other_direction_is_refused() -> None:
    """A broker that returns a host its own words does not speak for the registrar."""
    with pytest.raises(EnrolmentError, match="nobody who knows"):
        open_answer(answered(direction=Direction.REQUEST), TOKEN)
    assert not uncover(answered()).is_by(SHARED, Direction.REQUEST)


@given(at=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_answer_with_one_changed_bit_is_refused(at: int, bit: int) -> None:
    """Not one bit of an answer can be turned on its way."""
    letter = bytearray(answered())
    letter[at % len(letter)] ^= 1 << bit
    with pytest.raises(EnrolmentError):
        open_answer(bytes(letter), TOKEN)


@given(st.integers(min_value=0, max_value=len(answered()) - 1))
def test_answer_cut_short_is_refused(length: int) -> None:
    """Half an answer is none."""
    with pytest.raises(EnrolmentError):
        open_answer(answered()[:length], TOKEN)


@given(st.binary(max_size=300))
def test_bytes_of_no_sense_are_refused(letter: bytes) -> None:
    """Whatever lies in the queue, the error is ours."""
    with pytest.raises(EnrolmentError):
        uncover(letter)


def test_letter_spelt_otherwise_is_refused() -> None:
    """A letter has one spelling: a respelt one would count as another."""
    with pytest.raises(EnrolmentError, match="one spelling"):
        uncover(msgspec.json.format(answered(), indent=1))


def test_letter_longer_than_the_limit_is_refused_unread() -> None:
    """Size is looked at before anything else."""
    with pytest.raises(EnrolmentError, match="longer than"):
        uncover(b"[" * (MAX_LETTER + 1))


def test_body_of_an_answer_with_unknown_members_is_refused() -> None:
    """Also somebody with the key can't say what is not understood here."""
    body = {**msgspec.to_builtins(answer()), "run": "rm"}
    with pytest.raises(EnrolmentError, match="unknown field `run`"):
        open_answer(cover(SHARED, Direction.ANSWER, TOKEN.id, msgspec.json.encode(body)), TOKEN)


def test_broker_url_sealed_in_one_enrolment_does_not_open_in_another() -> None:
    """A host's URL of an older epoch, or of another token, is not taken for this one's."""
    sealed = seal("redis://x", SEAL.public, broker_context(TOKEN.id, "web1", 1))
    assert unseal(sealed, SEAL, broker_context(TOKEN.id, "web1", 1)) == "redis://x"
    for context in (broker_context(TOKEN.id, "web1", 2), broker_context("2d" * 16, "web1", 1)):
        with pytest.raises(SealError):
            unseal(sealed, SEAL, context)


def test_fingerprint_is_the_key_id_in_groups() -> None:
    """What two people read to each other is the id that logs and lists have, in groups of four."""
    shown = key_fingerprint(KEY.public)
    assert shown.replace(" ", "") == KEY.public.id
    assert {len(group) for group in shown.split(" ")} == {4}
