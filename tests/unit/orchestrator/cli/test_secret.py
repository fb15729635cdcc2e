"""`denrei secret`: values come from outside the command line, and never show again."""

import io
import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract.envelope import peek
from contract.order import Order, decode
from contract.sealing import SealContext, unseal
from orchestrator.cli.program import program
from orchestrator.secret.stored import StoredSecrets
from orchestrator.store.record import Kind
from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import Place

VALUE = "hunter2 & hunter3"


def value_of(place: Place, name: str) -> str:
    with place.store() as store:
        return StoredSecrets.of(place.home, store).read(name)


def test_secret_set_from_a_file_is_told_and_listed_without_its_value(
    place: Place, denrei: Denrei, tmp_path: Path
) -> None:
    (tmp_path / "db").write_text(VALUE + "\n")
    assert denrei("secret", "set", "db", f"@{tmp_path / 'db'}") == (0, "", "set db\n")
    assert denrei("secret", "set", "db", f"@{tmp_path / 'db'}") == (0, "", "replaced db\n")
    assert value_of(place, "db") == VALUE
    listed = denrei("secret", "list")
    assert listed.code == 0
    assert listed.out.split()[:6] == ["SECRET", "SET", "BY", "SET", "AT", "AGE"]
    assert "db      alice" in listed.out
    (document,) = json.loads(denrei("secret", "list", "-o", "json").out)["secrets"]
    assert sorted(document) == ["key_id", "name", "set_at", "set_by"]
    assert "hunter" not in listed.out


def test_secret_set_from_the_environment(
    place: Place, denrei: Denrei, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", VALUE)
    assert denrei("secret", "set", "db", "env:DB_PASSWORD").code == 0
    assert value_of(place, "db") == VALUE


def test_secret_set_from_standard_input_loses_one_line_break(place: Place) -> None:
    """As `pass show db | denrei secret set db`, with nothing to say where it comes from."""
    for number, arguments in enumerate((["db0"], ["db1", "-"])):
        result = CliRunner().invoke(program, ["secret", "set", *arguments], input=f"{VALUE}\n\n")
        assert result.exit_code == 0, result.output
        assert value_of(place, f"db{number}") == f"{VALUE}\n"


def test_secret_set_at_a_terminal_is_asked_for_twice_and_not_echoed(place: Place) -> None:
    terminal, inside = pty.openpty()
    with subprocess.Popen(
        [place.console_script(), "secret", "set", "db"],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        env=os.environ | {"DENREI_HOME": str(place.home.path)},
    ) as process:
        os.close(inside)
        said = b""
        for asked in (b"db: ", b"confirmation: "):
            while not said.endswith(asked):
                said += os.read(terminal, 1000)
            os.write(terminal, f"{VALUE}\n".encode())
        while b"set db\r\n" not in said:
            said += os.read(terminal, 1000)
        assert process.wait(20) == 0
    os.close(terminal)
    assert b"hunter" not in said
    assert value_of(place, "db") == VALUE


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["set", "db", "hunter22"], "secret db: give a source, not the secret: @FILE or env:"),
        (["set", "db", "secret:other"], "give a source, not the secret: @FILE or env:NAME"),
        (["set", "db", "env:ABSENT_ONE"], "there is no environment variable ABSENT_ONE"),
        (["set", "db", "@/absent"], "secret db: can't read /absent: No such file"),
        (["set", "D B", "env:PIN"], "'D B' is no name for a secret: use a-z"),
        (["set", "db", "env:PIN"], "is shorter than 6 characters, too short to redact"),
        (["remove", "dv"], "no secret 'dv' is stored"),
    ],
)
def test_secret_wrong_usage_is_told_and_stores_nothing(
    place: Place,
    denrei: Denrei,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.setenv("PIN", "4711")
    said = denrei("secret", *arguments)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert "hunter22" not in said.err
    assert "4711" not in said.err
    with place.store() as store:
        assert store.secrets.all() == []


def test_secret_of_an_empty_standard_input_is_told(
    place: Place, denrei: Denrei, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    said = denrei("secret", "set", "db")
    assert (said.code, said.err) == (2, "denrei: secret db: nothing came on standard input\n")


def test_secret_removed_and_rekeyed_is_told(
    place: Place, denrei: Denrei, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", VALUE)
    for name in ("db", "web"):
        denrei("secret", "set", name, "env:DB_PASSWORD")
    assert denrei("secret", "rekey") == (0, "", "2 secrets under a new key\n")
    assert denrei("secret", "remove", "web") == (0, "", "removed web\n")
    assert denrei("secret", "rekey") == (0, "", "1 secret under a new key\n")
    assert value_of(place, "db") == VALUE


def test_submit_seals_a_stored_secret_to_each_host(
    place: Place, denrei: Denrei, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", VALUE)
    denrei("secret", "set", "db", "env:DB_PASSWORD")
    said = denrei("submit", "look", "--all", "--secret", "key=secret:db", "--detach")
    assert said.code == 0, said.err
    with place.store() as store:
        letters = store.envelopes.list(run_id=said.out.strip(), kinds=[Kind.ORDER])
    assert len(letters) == 3
    for letter in letters:
        order = decode(peek(letter.data)[1], Order)
        context = SealContext(order.run_id, order.host, order.epoch, order.runbook_sha256, "key")
        key = place.sides[order.host].seal_key
        assert unseal(order.sealed_params["key"], key, context) == VALUE


def test_submit_without_a_vault_is_the_tools_own_error(place: Place, denrei: Denrei) -> None:
    """Nothing was typed wrongly: exit code 1, not 2."""
    said = denrei("submit", "look", "--all", "--secret", "key=vault:web/db#password")
    assert said.code == 1
    assert "secret key: can't read" in said.err
    assert "vault.yaml, which says where the vault is" in said.err


def test_submit_with_a_secret_too_short_to_redact_is_refused(
    place: Place, denrei: Denrei, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIN", "4711")
    said = denrei("submit", "look", "--all", "--secret", "key=env:PIN")
    assert said.code == 2
    assert "parameter key: the value given is shorter than 6 characters" in said.err
