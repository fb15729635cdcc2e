"""Letters that are signed together: each stands for itself, and for no other."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.envelope import (
    HEADS,
    EnvelopeError,
    Flaw,
    PayloadType,
    head_of,
    peek,
    pre_authentication_encoding,
    sign,
    sign_many,
    verify,
)
from contract.key import SigningKey
from contract.merkle import leaf_hash

KIND = PayloadType.ACKNOWLEDGEMENT
KEY, OTHER = SigningKey.generate(), SigningKey.generate()
TRUSTED = {key.public.id: key.public for key in (KEY, OTHER)}
WANTED = frozenset({KIND})
HEAD, LETTERS = sign_many(KIND, [b"letter %d" % number for number in range(6)], KEY)

Tree = dict[str, Any]


def spelt(tree: object) -> bytes:
    return json.dumps(tree, sort_keys=True, separators=(",", ":")).encode()


def opened(number: int = 1) -> Tree:
    return dict(json.loads(LETTERS[number]))


def placed(number: int = 1, **members: object) -> Tree:
    """A letter with another place in the tree."""
    tree = opened(number)
    tree["signatures"][0]["tree"] |= members
    return tree


def path(number: int = 1) -> list[str]:
    return list(opened(number)["signatures"][0]["tree"]["path"])


def signed_as(kind: PayloadType) -> Tree:
    """A letter with a place, whose head was signed as a letter of another kind."""
    tree = opened()
    message = pre_authentication_encoding(kind, peek(HEAD)[1])
    tree["signatures"][0]["sig"] = base64.b64encode(KEY.sign(message)).decode()
    return tree


def without_place() -> Tree:
    tree = opened()
    del tree["signatures"][0]["tree"]
    return tree


def node_as_letter() -> Tree:
    """Two leaves' hashes passed off as the payload of one."""
    leaves = [leaf_hash(pre_authentication_encoding(KIND, peek(each)[1])) for each in LETTERS[:2]]
    tree = placed(0, index=0, size=3, path=path(0)[1:])
    return tree | {"payload": base64.b64encode(b"".join(leaves)).decode()}


FORGERIES: dict[str, tuple[Flaw, Callable[[], object]]] = {
    "another's payload": (
        Flaw.BAD_SIGNATURE,
        lambda: opened() | {"payload": opened(2)["payload"]},
    ),
    "another's place": (
        Flaw.BAD_SIGNATURE,
        lambda: opened() | {"signatures": opened(2)["signatures"]},
    ),
    "another index": (Flaw.BAD_SIGNATURE, lambda: placed(index=0)),
    "another size": (Flaw.BAD_SIGNATURE, lambda: placed(size=7)),
    "another path": (Flaw.BAD_SIGNATURE, lambda: placed(path=path(2))),
    "a node as a letter": (Flaw.BAD_SIGNATURE, node_as_letter),
    "a head signed as a letter": (Flaw.BAD_SIGNATURE, lambda: signed_as(KIND)),
    "a head of another kind": (Flaw.BAD_SIGNATURE, lambda: signed_as(PayloadType.ORDER)),
    "no place": (Flaw.BAD_SIGNATURE, without_place),
    "another key": (
        Flaw.BAD_SIGNATURE,
        lambda: json.loads(LETTERS[1].replace(KEY.public.id.encode(), OTHER.public.id.encode())),
    ),
    "a path too short": (Flaw.MALFORMED, lambda: placed(path=path()[1:])),
    "a path too long": (Flaw.MALFORMED, lambda: placed(path=[*path(), path()[0]])),
    "an endless path": (Flaw.MALFORMED, lambda: placed(path=path()[:1] * 33)),
    "a short hash": (Flaw.MALFORMED, lambda: placed(path=["AAAA", *path()[1:]])),
    "outside the tree": (Flaw.MALFORMED, lambda: placed(index=6)),
    "before the tree": (Flaw.MALFORMED, lambda: placed(index=-1)),
    "a tree without a leaf": (Flaw.MALFORMED, lambda: placed(size=0)),
    "a fraction": (Flaw.MALFORMED, lambda: placed(index=1.0)),
    "a member more": (Flaw.MALFORMED, lambda: placed(root="AAAA")),
    "the head": (Flaw.WRONG_TYPE, lambda: json.loads(HEAD)),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_letter_of_a_tree_forged_is_refused_with_its_flaw(forgery: str) -> None:
    flaw, forge = FORGERIES[forgery]
    with pytest.raises(EnvelopeError) as caught:
        verify(spelt(forge()), TRUSTED, WANTED)
    assert caught.value.flaw is flaw


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=40))
def test_letters_signed_together_are_each_verified_alone(payloads: list[bytes]) -> None:
    head, letters = sign_many(KIND, payloads, KEY)
    for payload, letter in zip(payloads, letters, strict=True):
        verified = verify(letter, TRUSTED, WANTED)
        assert verified.payload == payload
        assert verified.key_ids == {KEY.public.id}
    assert json.loads(peek(head)[1])["size"] == len(payloads)


def test_letters_signed_together_have_one_signature_which_is_the_head_s() -> None:
    made = {json.loads(each)["signatures"][0]["sig"] for each in (*LETTERS, HEAD)}
    assert len(made) == 1
    verified = verify(HEAD, TRUSTED, frozenset({HEADS[KIND]}))
    head = head_of(KIND, [peek(each)[1] for each in LETTERS])
    assert json.loads(verified.payload) == {
        "root": base64.b64encode(head.root).decode(),
        "size": 6,
    }


def test_letters_signed_together_twice_are_the_same_to_the_byte() -> None:
    payloads = [peek(each)[1] for each in LETTERS]
    assert sign_many(KIND, payloads, KEY) == (HEAD, LETTERS)


def test_letter_of_a_kind_that_is_signed_alone_has_no_place_in_a_tree() -> None:
    """Who holds a key that orders must have signed the order itself."""
    order = dict(json.loads(sign(PayloadType.ORDER, b"{}", [KEY])))
    order["signatures"][0]["tree"] = {"index": 0, "path": [], "size": 1}
    with pytest.raises(EnvelopeError) as caught:
        verify(spelt(order), TRUSTED, frozenset({PayloadType.ORDER}))
    assert caught.value.flaw is Flaw.MALFORMED


def test_letter_of_a_tree_under_two_names_is_refused() -> None:
    """A place that is said to be none is another spelling."""
    letter = sign(KIND, b"{}", [KEY])
    with pytest.raises(EnvelopeError):
        verify(letter.replace(b'"}]}', b'","tree":null}]}'), TRUSTED, WANTED)
