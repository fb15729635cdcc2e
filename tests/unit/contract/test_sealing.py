"""Sealing: a secret opens for one host, run, runbook and parameter, and for nothing else."""

import base64
import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.key import SealKey
from contract.sealing import SealContext, SealError, seal, unseal

HOST, OTHER_HOST = SealKey.generate(), SealKey.generate()
CONTEXT = SealContext("01ARZ3NDEKTSV4RRFFQ69G5FAV", "web1", 1, "a" * 64, "key")
SECRET = "correct horse battery staple"
SEALED = seal(SECRET, HOST.public, CONTEXT)
OVERHEAD = 32 + 16  # the encapsulated key and the tag


@settings(max_examples=50)
@given(st.text(max_size=200))
def test_secret_sealed_to_a_host_opens_there(secret: str) -> None:
    assert unseal(seal(secret, HOST.public, CONTEXT), HOST, CONTEXT) == secret


def test_secret_sealed_twice_looks_different_each_time() -> None:
    assert seal(SECRET, HOST.public, CONTEXT) != SEALED


OTHERS: list[dict[str, Any]] = [
    {"run_id": CONTEXT.run_id + "x"},
    {"host": CONTEXT.host + "x"},
    {"epoch": CONTEXT.epoch + 1},
    {"runbook_sha256": CONTEXT.runbook_sha256 + "x"},
    {"parameter": CONTEXT.parameter + "x"},
]


@pytest.mark.parametrize("other_than", OTHERS)
def test_secret_does_not_open_for_another(other_than: dict[str, Any]) -> None:
    """Whoever copies a sealed value into another order gets nothing out of it."""
    other = dataclasses.replace(CONTEXT, **other_than)
    with pytest.raises(SealError, match="does not open for this host and run"):
        unseal(SEALED, HOST, other)


def test_secret_does_not_open_with_another_host_s_key() -> None:
    with pytest.raises(SealError):
        unseal(SEALED, OTHER_HOST, CONTEXT)


def test_context_whose_parts_lend_each_other_letters_is_another() -> None:
    """Each part stands behind its length: `ab`+`c` is not `a`+`bc`."""
    assert SealContext("ab", "c", 1, "d", "e").info() != SealContext("a", "bc", 1, "d", "e").info()
    assert SealContext("", "", 1, "ab", "").info() != SealContext("", "", 1, "a", "b").info()


def test_secret_with_any_bit_turned_does_not_open() -> None:
    raw = base64.b64decode(SEALED)
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealError):
            unseal(base64.b64encode(forged).decode(), HOST, CONTEXT)


def test_secret_cut_anywhere_does_not_open() -> None:
    raw = base64.b64decode(SEALED)
    for end in range(len(raw)):
        with pytest.raises(SealError):
            unseal(base64.b64encode(raw[:end]).decode(), HOST, CONTEXT)


@given(
    st.text(max_size=80) | st.binary(max_size=120).map(lambda raw: base64.b64encode(raw).decode())
)
def test_text_that_was_never_sealed_raises_nothing_but_a_seal_error(text: str) -> None:
    with pytest.raises(SealError):
        unseal(text, HOST, CONTEXT)


@pytest.mark.parametrize(
    ("length", "size"),
    [
        (0, 64),
        (6, 64),
        (60, 64),
        (61, 256),
        (252, 256),
        (253, 1024),
        (1021, 4096),
        (65_532, 65_536),
    ],
)
def test_secret_is_padded_so_that_its_length_tells_little(length: int, size: int) -> None:
    sealed = seal("x" * length, HOST.public, CONTEXT)
    assert len(base64.b64decode(sealed)) == size + OVERHEAD
    assert unseal(sealed, HOST, CONTEXT) == "x" * length


def test_secret_that_is_too_long_or_no_text_is_refused_by_its_name_alone() -> None:
    with pytest.raises(SealError, match=r"^the secret key is longer than 65532 bytes$"):
        seal("x" * 65_533, HOST.public, CONTEXT)
    with pytest.raises(SealError, match=r"^the secret key is not UTF-8$"):
        seal("geheim\udcff", HOST.public, CONTEXT)


def test_seal_error_shows_nothing_of_the_secret() -> None:
    with pytest.raises(SealError) as caught:
        unseal(SEALED, OTHER_HOST, CONTEXT)
    assert SECRET not in str(caught.value)
    assert SEALED not in str(caught.value)
