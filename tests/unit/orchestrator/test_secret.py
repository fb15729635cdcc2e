"""Where secrets are read from: the table of sources, and those on this machine."""

from pathlib import Path

import pytest

from orchestrator.secret.local import Environment, Files
from orchestrator.secret.provider import Provider, ProviderError, SecretError
from orchestrator.secret.source import parse_source, read_outside, read_secrets

KNOWN: dict[str, Provider] = {"@": Files(), "env:": Environment()}


def test_secret_from_a_file_loses_one_line_break(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter22 \n\n")
    assert read_secrets({"k": f"@{tmp_path / 'key'}"}, KNOWN) == {"k": "hunter22 \n"}


def test_secret_from_the_environment_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "hunter22")
    assert read_secrets({"k": "env:MY_KEY"}, KNOWN) == {"k": "hunter22"}


@pytest.mark.parametrize("typed", ["hunter22", "env:", "@", "secrets:hunter22", ""])
def test_secret_typed_itself_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(SecretError, match="secret k: give a source, not the secret") as caught:
        read_secrets({"k": typed}, KNOWN)
    assert "hunter22" not in str(caught.value)
    assert str(caught.value).endswith(": @FILE or env:NAME")


@pytest.mark.parametrize("typed", ["secret:other", "vault:a#b"])
def test_value_to_be_stored_comes_from_outside_only(typed: str) -> None:
    """Copying one stored secret to another name, or the vault into the store, is nobody's need."""
    with pytest.raises(SecretError, match=r"give a source, not the secret: @FILE or env:NAME$"):
        read_outside("k", typed)


@pytest.mark.parametrize("source", ["env:ABSENT_VARIABLE", "@/absent/file", "@/dev/zero"])
def test_secret_of_a_source_of_no_use_says_which(source: str) -> None:
    with pytest.raises(SecretError, match=r"secret k: .*(ABSENT_VARIABLE|/absent/file|/dev/zero)"):
        read_secrets({"k": source}, KNOWN)


def test_secret_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe" * 10)
    with pytest.raises(SecretError, match="is not UTF-8 text"):
        read_secrets({"k": f"@{tmp_path / 'key'}"}, KNOWN)


def test_provider_that_fails_names_the_secret_and_stays_what_it_is() -> None:
    """The command line tells a mistake (exit code 2) from something that broke (1)."""

    class Broken:
        """A provider out of order."""

        def read(self, place: str) -> str:
            raise ProviderError(f"{place} is on fire")

    with pytest.raises(ProviderError, match=r"^secret k: web/db is on fire$"):
        read_secrets({"k": "secret:web/db"}, {"secret:": Broken()})


@pytest.mark.parametrize(
    ("text", "depends"),
    [("@key", True), ("@./key", True), ("@/run/key", False), ("@~/key", False), ("env:KEY", False)],
)
def test_source_tells_whether_it_depends_on_the_directory(text: str, *, depends: bool) -> None:
    assert parse_source(text).depends_on_directory is depends
