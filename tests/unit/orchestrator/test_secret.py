"""Reading secrets."""

from pathlib import Path

import pytest

from orchestrator.secret import SecretError, read_secrets


def test_secret_from_a_file_loses_one_line_break(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter22 \n\n")
    assert read_secrets({"k": f"@{tmp_path / 'key'}"}) == {"k": "hunter22 \n"}


def test_secret_from_the_environment_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "hunter22")
    assert read_secrets({"k": "env:MY_KEY"}) == {"k": "hunter22"}


def test_secret_typed_itself_is_refused_and_not_repeated() -> None:
    with pytest.raises(SecretError, match="k=@FILE") as caught:
        read_secrets({"k": "hunter22"})
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize("source", ["env:ABSENT_VARIABLE", "@/absent/file", "@/dev/zero"])
def test_secret_of_a_source_of_no_use_says_which(source: str) -> None:
    with pytest.raises(SecretError, match=r"secret k: .*(ABSENT_VARIABLE|/absent/file|/dev/zero)"):
        read_secrets({"k": source})
