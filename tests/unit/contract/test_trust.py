"""Public files: read strictly, and weak or doubtful keys are refused at the door."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.key import SealKey, SigningKey
from contract.trust import (
    HostKeys,
    TrustError,
    Welcome,
    load_host_keys,
    load_welcome,
    save_public,
)

HOST = HostKeys(
    denrei_host="web1",
    sign=SigningKey.generate().public.text,
    seal=SealKey.generate().public.text,
)
WEAK, ZERO = (base64.b64encode(bytes([byte]) + bytes(31)).decode() for byte in (1, 0))


def test_public_files_saved_and_loaded_are_the_same(tmp_path: Path) -> None:
    welcome = Welcome.of(b"keyring", b"admission")
    save_public(tmp_path / "welcome.json", welcome)
    save_public(tmp_path / "host.json", HOST)
    assert load_welcome(tmp_path / "welcome.json") == welcome
    assert welcome.letters == (b"keyring", b"admission")
    assert load_host_keys(tmp_path / "host.json") == HOST


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


@pytest.mark.parametrize("load", [load_welcome, load_host_keys])
@pytest.mark.parametrize("content", [b"", b"\xff", b'{"denrei_host":"\xff"}', b"[" * 100_000])
def test_public_file_of_rubbish_or_none_is_refused(
    load: Callable[[Path], Welcome | HostKeys], content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "file.json"
    with pytest.raises(TrustError, match="can't read"):
        load(path)
    path.write_bytes(content)
    with pytest.raises(TrustError, match="is not a public file made by"):
        load(path)
