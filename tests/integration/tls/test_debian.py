"""Fetching a daemon: what is not there is told, and in CI it is no skip."""

import pytest

from tests.integration.tls.debian import program


@pytest.mark.parametrize(
    ("variable", "outcome"),
    [
        ("CI", pytest.fail.Exception),
        ("DENREI_CI", pytest.fail.Exception),
        ("", pytest.skip.Exception),
    ],
)
def test_program_that_nobody_has_fails_in_ci_and_is_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, variable: str, outcome: type[BaseException]
) -> None:
    for name in ("CI", "DENREI_CI"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "true")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(outcome, match="no no-such-daemon on PATH, and no apt-get and dpkg-deb"):
        program("no-such-daemon", "no-such-package")
