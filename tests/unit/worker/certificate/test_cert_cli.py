"""`denrei-worker cert PATH`: what it prints, and the code with which it exits."""

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from tests.unit.worker.certificate.daemons import DAY, HOUR, in_turn, issue, reloading
from tests.unit.worker.observations.certificates import key_pem
from tests.unit.worker.observations.servers import server, serving
from worker import cert_cli
from worker.cli import main

FRESH, UNREADABLE, WRONG_USAGE, NEEDS_WORK = 0, 1, 2, 8


def cert(*arguments: str | Path | int) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["cert", *map(str, arguments)])


def document(*arguments: str | Path | int, code: int) -> dict[str, Any]:
    """Run it for its document, and hold its exit code."""
    result = cert(*arguments, "-o", "json")
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_fresh_certificate_is_told_whole(tmp_path: Path) -> None:
    pair = issue()
    path = pair.put(tmp_path / "crt")
    with serving(in_turn([path])) as port:
        told = document(path, "--key", path, "--port", port, code=FRESH)
    own = {
        "not_before": f"{pair.certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
        "not_after": f"{pair.certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        "serial": told["certificate"]["serial"],
        "subject": "CN=www.example.com",
        "issuer": "CN=Authority",
        "san": ["DNS:www.example.com"],
        "sha256": pair.sha256,
        "sha1": told["certificate"]["sha1"],
        "key_type": "ec-secp256r1",
        "self_signed": False,
    }
    assert int(told["certificate"]["serial"], 16) == pair.certificate.serial_number
    assert told["certificate"]["serial"] == told["certificate"]["serial"].upper()
    assert told == {
        "schema_version": 1,
        "verdict": "fresh",
        "reason": f"it is valid until {own['not_after']}; 127.0.0.1:{port} shows it",
        "confirmed": True,
        "outage_at": own["not_after"],
        "expiring_at": told["expiring_at"],
        "path": str(path),
        "certificate": own,
        "chain": [],
        "key": {"path": str(path), "status": "matches"},
        "process": None,
        "served": {
            "endpoint": f"127.0.0.1:{port}",
            "error": "",
            "handshakes": 5,
            "certificates": [{"handshakes": 5, **own}],
        },
    }


@pytest.mark.parametrize(
    ("content", "verdict", "code"),
    [(None, "missing", NEEDS_WORK), (b"", "unreadable", UNREADABLE), (b"x", "unreadable", 1)],
)
def test_file_without_a_certificate_exits_by_its_verdict(
    tmp_path: Path, content: bytes | None, verdict: str, code: int
) -> None:
    path = tmp_path / "crt"
    if content is not None:
        path.write_bytes(content)
    told = document(path, code=code)
    assert (told["verdict"], told["certificate"], told["outage_at"]) == (verdict, None, None)
    assert str(path) in told["reason"]


def test_certificate_of_the_port_does_not_stand_for_that_of_the_file(tmp_path: Path) -> None:
    """What is shown is told as such; the file has none."""
    shown = issue()
    with serving(in_turn([shown.put(tmp_path / "in-use")])) as port:
        told = document(tmp_path / "none", "--port", str(port), code=NEEDS_WORK)
        people = cert(tmp_path / "none", "--port", str(port)).stdout
    assert (told["verdict"], told["certificate"]) == ("missing", None)
    assert told["served"]["certificates"][0]["handshakes"] == 5
    assert "shown        the following, by the port" in people


def test_every_other_verdict_needs_work(tmp_path: Path) -> None:
    path, other = issue().put(tmp_path / "crt"), issue()
    (tmp_path / "key").write_bytes(key_pem(other.key))
    ended = issue(begins=-9 * DAY, ends=-HOUR).put(tmp_path / "ended")
    early = issue(begins=HOUR).put(tmp_path / "early")
    asked: dict[str, list[str | Path]] = {
        "key_mismatch": [path, "--key", tmp_path / "key"],
        "expired": [ended],
        "not_yet_valid": [early],
        "wrong_name": [path, "--name", "www.example.com", "--name", "mail.example.com"],
        "unreachable": [path, "--pid-file", tmp_path / "none"],
        "expiring": [path, "--expiring-within", "100d"],
    }
    for verdict, arguments in asked.items():
        assert document(*arguments, code=NEEDS_WORK)["verdict"] == verdict


def test_process_that_can_not_tell_has_its_port_found(tmp_path: Path) -> None:
    """No port is named: the command finds the one on which the process listens."""
    path = issue().put(tmp_path / "crt")
    with server(reloading(path)) as (pid, port):
        (tmp_path / "pid").write_text(str(pid))
        renewed = issue(begins=-2 * HOUR).put(path)
        told = document(renewed, "--pid-file", tmp_path / "pid", code=NEEDS_WORK)
        assert told["verdict"] == "stale_in_memory"
        assert told["served"]["endpoint"] == f"127.0.0.1:{port}"
        assert told["process"]["pid"] == pid
        os.kill(pid, signal.SIGKILL)


def test_made_here_lets_the_process_decide(tmp_path: Path) -> None:
    path = issue().put(tmp_path / "crt")
    with server(lambda _connection: None) as (pid, _):
        (tmp_path / "pid").write_text(str(pid))
        issue().put(path)
        asked = (path, "--pid-file", tmp_path / "pid")
        assert document(*asked, "--made-here", code=FRESH)["confirmed"] is True
        assert document(*asked, "--not-made-here", code=FRESH)["confirmed"] is False


def test_table_says_verdict_reason_and_outage_in_80_columns(tmp_path: Path) -> None:
    old, path = issue(ends=20 * DAY), tmp_path / "crt"
    old.put(path)
    with serving(in_turn([path])) as port:
        issue(begins=-2 * HOUR).put(path)
        result = cert(path, "--port", port)
    lines = result.stdout.splitlines()
    assert result.exit_code == NEEDS_WORK
    assert lines[0] == "verdict      stale_in_memory"
    assert lines[1].startswith(f"reason       127.0.0.1:{port} shows a newer certificate")
    end = f"{old.certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    assert f"fails        {end} (in 19d)" in lines
    assert max(map(len, lines)) <= 80


def test_text_of_a_certificate_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    path = issue("\x1b[31m\nverdict      fresh").put(tmp_path / "crt")
    result = cert(path, "--name", "x")
    assert "\x1b" not in result.stdout
    assert result.stdout.count("\nverdict") == 0


def test_options_may_stand_before_the_path(tmp_path: Path) -> None:
    path = issue().put(tmp_path / "crt")
    result = cert("-o", "json", "--name", "www.example.com", path)
    assert (result.exit_code, json.loads(result.stdout)["path"]) == (FRESH, str(path))


@pytest.mark.parametrize("name", ["crt", "PATH", "./scan", "status", "show"])
def test_any_first_argument_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Also one that is named like another command of the program."""
    monkeypatch.chdir(tmp_path)
    issue().put(tmp_path / name)
    assert document(name, code=FRESH)["path"] == str(tmp_path / name)


def test_command_comes_first_and_else_its_name_is_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    issue().put(tmp_path / "scan")
    monkeypatch.setitem(cert_cli.cert.commands, "scan", click.Command("scan", callback=str))
    assert cert("scan").output == ""
    assert document("./scan", code=FRESH)["path"] == str(tmp_path / "scan")
    late = cert("-o", "json", "scan")
    assert late.exit_code == WRONG_USAGE
    assert "scan is a command and comes first; a file of that name is ./scan" in late.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "443"], "Missing argument"),
        (["crt", "--port", "0"], "0 is not in the range"),
        (["crt", "--port", "https"], "not a valid integer"),
        (["crt", "--host", "web1"], "--host needs a --port"),
        (["crt", "--host", "::1"], "--host needs a --port"),
        (["crt", "--server-name", "x"], "--server-name needs a --port"),
        (["crt", "--starttls", "smtp"], "--starttls needs a --port"),
        (["crt", "--starttls", "pop3", "--port", "110"], "'pop3' is not one of"),
        (["crt", "--expiring-within", "soon"], "'soon' is not a duration"),
        (["crt", "--timeout", "5"], "'5' is not a duration"),
        (["crt", "--handshakes", "51"], "51 is not in the range"),
        (["crt", "--colour"], "No such option"),
        ([""], "PATH is empty"),
        (["crt", "--name", ""], "--name is empty"),
        (["crt", "--unit", "a b"], "'a b' can't be the name of a unit"),
        (["crt", "--host", "https://a", "--port", "1"], "is neither a host nor host:port"),
        (["scan", "-o", "xml"], "'xml' is not one of"),
    ],
)
def test_wrong_usage_is_told_in_one_line(arguments: list[str], words: str) -> None:
    result = cert(*arguments)
    assert result.exit_code == WRONG_USAGE
    [line] = result.stderr.splitlines()
    assert line.startswith("denrei-worker: ")
    assert words in line
    assert line.endswith(" --help")


def test_what_this_host_can_not_tell_is_one_line(tmp_path: Path) -> None:
    """A name that can't be asked for; no traceback, and nothing on stdout."""
    path = issue().put(tmp_path / "crt")
    with serving(in_turn([path])) as port:
        result = cert(path, "--port", port, "--server-name", "a..b")
    assert result.exit_code == 1
    assert result.stderr == "denrei-worker: 'a..b' is no name to ask a server for\n"
    assert not result.stdout


def test_command_needs_no_configuration(tmp_path: Path) -> None:
    """On a host without worker.yaml and orchestrator, as the program that pip installs."""
    path = issue().put(tmp_path / "crt")
    program = Path(sys.executable).with_name("denrei-worker")
    argv = [str(program), "cert", path.name, "-o", "json"]
    done = subprocess.run(
        argv, cwd=tmp_path, env={"HOME": str(tmp_path)}, capture_output=True, check=True
    )
    told = json.loads(done.stdout)
    assert (told["verdict"], told["path"], done.stderr) == ("fresh", str(path), b"")
    assert datetime.fromisoformat(told["outage_at"]) > datetime.fromisoformat(told["expiring_at"])
