"""Public files: read strictly, and weak or doubtful keys are refused at the door."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.key import SealKey, SigningKey
from contract.trust import (
    HostKeys,
    Role,
    Trust,
    TrustedKey,
    TrustError,
    load_host_keys,
    load_trust,
    save_public,
)

KEYS = [SigningKey.generate().public.text for _ in range(3)]
TRUST = Trust(
    denrei_trust=1,
    keys=[
        TrustedKey(name=role.value, role=role, key=key)
        for role, key in zip(Role, KEYS, strict=True)
    ],
)
HOST = HostKeys(
    denrei_host="web1",
    sign=SigningKey.generate().public.text,
    seal=SealKey.generate().public.text,
)
WEAK, ZERO = (base64.b64encode(bytes([byte]) + bytes(31)).decode() for byte in (1, 0))


def test_public_files_saved_and_loaded_are_the_same(tmp_path: Path) -> None:
    save_public(tmp_path / "trust.json", TRUST)
    save_public(tmp_path / "host.json", HOST)
    assert load_trust(tmp_path / "trust.json") == TRUST
    assert load_host_keys(tmp_path / "host.json") == HOST


def test_trust_by_id_tells_whose_each_key_is() -> None:
    found = {trusted.role: trusted.verify_key().text for trusted in TRUST.by_id().values()}
    assert found == dict(zip(Role, KEYS, strict=True))


def trust_with(**members: Any) -> dict[str, Any]:
    return {
        "denrei_trust": 1,
        "keys": [{"name": "a", "role": "operator", "key": KEYS[0]}],
    } | members


def key_with(**members: Any) -> dict[str, Any]:
    return trust_with(keys=[{"name": "a", "role": "operator", "key": KEYS[0]} | members])


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        ([], "is not a public file made by `denrei init`"),
        ({"denrei_trust": 1}, "missing required field `keys`"),
        (trust_with(denrei_trust=2), "Invalid enum value 2"),
        (trust_with(extra=1), "unknown field `extra`"),
        (key_with(extra=1), "unknown field `extra`"),
        (key_with(role="root"), "Invalid enum value 'root'"),
        (key_with(name=""), "length >= 1"),
        (key_with(key=WEAK), "small order"),
        (key_with(key=KEYS[0][:-1]), "32 bytes in base64"),
        (trust_with(keys=trust_with()["keys"] * 2), "one key stands here twice"),
    ],
)
def test_trust_file_that_is_wrong_is_refused_with_its_path(
    tree: object, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / "trust.json"
    path.write_text(json.dumps(tree))
    with pytest.raises(TrustError) as caught:
        load_trust(path)
    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)


def test_trust_file_with_one_key_in_two_roles_is_refused(tmp_path: Path) -> None:
    """Were the last role believed, a recorder's key could begin to give orders unnoticed."""
    path = tmp_path / "trust.json"
    keys = [TrustedKey(name=role.value, role=role, key=KEYS[0]) for role in Role]
    save_public(path, Trust(denrei_trust=1, keys=keys))
    with pytest.raises(TrustError, match="whose it is must be beyond doubt"):
        load_trust(path)


@pytest.mark.parametrize(
    ("member", "value", "complaint"),
    [
        ("denrei_host", "../web1", "can't be a host's name"),
        ("sign", WEAK, "small order"),
        ("seal", ZERO, "small order"),
        ("seal", "", "32 bytes"),
        ("extra", "x", "unknown field"),
    ],
)
def test_host_file_that_is_wrong_is_refused_with_its_path(
    member: str, value: str, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / "host.json"
    members = {"denrei_host": "web1", "sign": HOST.sign, "seal": HOST.seal, member: value}
    path.write_text(json.dumps(members))
    with pytest.raises(TrustError) as caught:
        load_host_keys(path)
    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("load", [load_trust, load_host_keys])
@pytest.mark.parametrize("content", [b"", b"\xff", b'{"denrei_host":"\xff"}', b"[" * 100_000])
def test_public_file_of_rubbish_or_none_is_refused(
    load: Callable[[Path], Trust | HostKeys], content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "file.json"
    with pytest.raises(TrustError, match="can't read"):
        load(path)
    path.write_bytes(content)
    with pytest.raises(TrustError, match="is not a public file made by"):
        load(path)
