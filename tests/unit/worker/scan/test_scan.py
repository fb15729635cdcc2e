"""A whole host scanned: real files, real servers that pass for its daemons, real verdicts."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import ec

from contract.certificate import CertificateFact, CertificateVerdict
from contract.probe import Certificates
from tests.alone import alone
from tests.unit.worker.observations.certificates import certificate, key_pem, pem
from tests.unit.worker.observations.servers import in_tls, server_context, serving
from tests.unit.worker.scan import samples
from tests.unit.worker.scan.posing import posing_as
from tests.unit.worker.scan.samples import lay_out
from tests.unit.worker.scan.test_daemons import WORKSPACE
from tests.unit.worker.snapshot import snapshot
from worker.cli import main
from worker.observations.certificates import observe_certificates
from worker.root import Root
from worker.scan import discovery
from worker.scan import scan as scanning
from worker.scan.discovery import Wishes
from worker.scan.listener import listeners
from worker.scan.scan import Scan, scan

YEARS = datetime.now(UTC) + timedelta(days=2000)
SITE = "server { ssl_certificate %s.pem; ssl_certificate_key %s.key; }\n"


pytestmark = pytest.mark.timeout(180)  # it may have to wait for its turn


@pytest.fixture(autouse=True)
def _no_other_daemon_runs() -> Iterator[None]:
    """A scan sees all that runs here, also what other tests have started."""
    with alone():
        yield


def put_pair(root: Path, name: str, not_after: datetime = YEARS) -> Path:
    """Write a certificate and its key into nginx's directory."""
    key = ec.generate_private_key(ec.SECP256R1())
    place = root / "etc/nginx" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.with_suffix(".pem").write_bytes(pem(certificate(key, not_after=not_after)))
    place.with_suffix(".key").write_bytes(key_pem(key))
    return place.with_suffix(".pem")


@contextmanager
def host(root: Path) -> Iterator[int]:
    """A host on which nginx still shows the certificate from before the renewal; gives its port.

    Beside it there is a certificate that nobody serves, and one that is not there.
    """
    put_pair(root, "a")
    put_pair(root, "gone").unlink()
    put_pair(root, "late", not_after=datetime.now(UTC) - timedelta(days=1))
    names = ("a", "late", "gone")
    text = "".join(SITE % (name, name) for name in names)
    lay_out(root, {"/etc/nginx/nginx.conf": f"http {{\n{text}}}\n"})
    before = root / "before"
    before.mkdir()
    context = server_context(before, not_after=YEARS)
    with serving(in_tls(context), begin=posing_as("nginx", root)) as port:
        yield port


def by_path(found: Scan) -> dict[str, CertificateFact]:
    return {fact.path or fact.endpoint: fact for fact in found.facts}


def told(root: Path, **wishes: object) -> Scan:
    return scan(Wishes(**wishes), Root(root))  # type: ignore[arg-type]


def test_scan_tells_every_certificate_with_its_file_and_its_port(tmp_path: Path) -> None:
    """And it changes nothing."""
    with host(tmp_path) as port:
        before = snapshot(tmp_path)
        found = told(tmp_path)
        assert snapshot(tmp_path) == before
    facts = by_path(found)
    assert {path: fact.verdict for path, fact in facts.items()} == {
        "/etc/nginx/a.pem": CertificateVerdict.STALE_IN_MEMORY,
        "/etc/nginx/gone.pem": CertificateVerdict.MISSING,
        "/etc/nginx/late.pem": CertificateVerdict.EXPIRED,
    }
    stale = facts["/etc/nginx/a.pem"]
    assert (stale.endpoint, stale.service, stale.confirmed) == (f"127.0.0.1:{port}", "nginx", True)
    assert (facts["/etc/nginx/gone.pem"].endpoint, found.problems) == ("", ())
    assert (found.is_complete, found.worst) == (True, CertificateVerdict.MISSING)


def test_scan_of_a_port_without_a_known_file_tells_the_port(tmp_path: Path) -> None:
    context = server_context(tmp_path, not_after=YEARS)
    with serving(in_tls(context), begin=posing_as("appserver", tmp_path)) as port:
        [fact] = told(tmp_path).facts
        [given] = told(tmp_path, paths=("/served.pem",)).facts
    assert (fact.path, fact.endpoint, fact.service) == ("", f"127.0.0.1:{port}", "appserver")
    assert (given.path, given.endpoint) == ("/served.pem", f"127.0.0.1:{port}")
    assert fact.verdict is given.verdict is CertificateVerdict.FRESH


@pytest.mark.parametrize(("program", "service"), [("master", "postfix"), ("apache2", "apache2")])
def test_scan_names_a_daemon_as_people_do(program: str, service: str, tmp_path: Path) -> None:
    """Where no unit tells: postfix listens by a program of another name."""
    context = server_context(tmp_path, not_after=YEARS)
    with serving(in_tls(context), begin=posing_as(program, tmp_path)):
        [fact] = told(tmp_path).facts
    assert fact.service == service


def test_scan_asks_no_port_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would wait for an answer that nobody gives."""
    with (
        socket.create_server(("127.0.0.1", 0)) as own,
        serving(in_tls(server_context(tmp_path, not_after=YEARS))) as other,
    ):
        ports = {own.getsockname()[1], other}
        near = [each for each in listeners() if each.port in ports]
        assert len(near) == 2
        monkeypatch.setattr(discovery, "listeners", lambda: near)
        found = scan(Wishes(configurations=False), Root())
    assert [fact.endpoint for fact in found.facts] == [f"127.0.0.1:{other}"]
    assert found.silent == ()


def test_scan_tells_a_given_file_once_that_a_configuration_names_too(tmp_path: Path) -> None:
    with host(tmp_path):
        alone = told(tmp_path)
        with_path = told(tmp_path, paths=("/etc/nginx/*.pem", "/etc/nginx/a.pem"))
    assert list(by_path(with_path)) == list(by_path(alone))
    assert len(with_path.facts) == len(alone.facts)


def test_scan_leaves_out_what_it_is_told_to_and_is_then_not_complete(tmp_path: Path) -> None:
    with host(tmp_path) as port:
        without_ports = told(tmp_path, ports=False)
        without_files = told(tmp_path, configurations=False)
    assert {fact.endpoint for fact in without_ports.facts} == {""}
    assert len(without_ports.facts) == 3
    assert list(by_path(without_files)) == [f"127.0.0.1:{port}"]
    assert not without_ports.is_complete
    assert not without_files.is_complete


def test_scan_tells_which_tool_renews_a_file(tmp_path: Path) -> None:
    """Nginx's file is a link to certbot's, which nothing starts."""
    put_pair(tmp_path, "a")
    archive = tmp_path / "etc/letsencrypt/archive/a.example/fullchain1.pem"
    lay_out(
        tmp_path,
        {
            "/etc/nginx/nginx.conf": SITE % ("a", "a"),
            "/etc/letsencrypt/renewal/a.example.conf": samples.CERTBOT,
            "/etc/letsencrypt/archive/a.example/fullchain1.pem": "",
            "/etc/letsencrypt/live/a.example/README": "",
        },
    )
    own = tmp_path / "etc/nginx/a.pem"
    archive.write_bytes(own.read_bytes())
    live = tmp_path / "etc/letsencrypt/live/a.example/fullchain.pem"
    live.symlink_to("../../archive/a.example/fullchain1.pem")
    own.unlink()
    own.symlink_to("../letsencrypt/live/a.example/fullchain.pem")
    [fact] = told(tmp_path).facts
    assert (fact.path, fact.renewal) == ("/etc/nginx/a.pem", "certbot, not scheduled")


def test_scan_says_what_it_could_not_look_at_and_is_not_complete(tmp_path: Path) -> None:
    """A variable, a directory, a pattern that fits nothing: the rest is told all the same."""
    put_pair(tmp_path, "a")
    (tmp_path / "etc/nginx/dir.pem").mkdir()
    text = SITE % ("a", "a") + SITE % ("$x", "x") + SITE % ("dir", "dir")
    found = told(lay_out(tmp_path, {"/etc/nginx/nginx.conf": text}), paths=("/none/*.pem",))
    assert list(by_path(found)) == ["/etc/nginx/a.pem"]
    assert found.problems == (
        "/etc/nginx/nginx.conf:2: ssl_certificate $x.pem: not known before it is used",
        "/none/*.pem: no file fits",
        f"{tmp_path}/etc/nginx/dir.pem is no regular file",
    )
    assert not found.is_complete


def test_scan_whose_time_is_over_says_so(tmp_path: Path) -> None:
    with host(tmp_path):
        found = told(tmp_path, timeout="1ms")
    assert found.problems
    assert all("the time was over" in problem for problem in found.problems)
    assert not found.is_complete


def test_scan_tells_no_more_than_a_report_may_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "MAX_FACTS", 2)
    found = told(tmp_path, paths=("/a", "/b", "/c"))
    assert [fact.path for fact in found.facts] == ["/a", "/b"]
    assert found.problems == ("only 2 of 3 certificates are told of",)


def test_scan_of_an_oms_agent_asks_its_process(tmp_path: Path) -> None:
    """Its certificate is made on the host, so that its process alone can tell; it does not run."""
    place = f"/etc/opt/microsoft/omsagent/{WORKSPACE}/certs"
    key = ec.generate_private_key(ec.SECP256R1())
    lay_out(
        tmp_path,
        {
            f"{place}/oms.crt": pem(certificate(key, not_after=YEARS)).decode(),
            f"{place}/oms.key": key_pem(key).decode(),
        },
    )
    [fact] = told(tmp_path).facts
    assert fact.verdict is CertificateVerdict.UNREACHABLE
    assert fact.service == f"omsagent-{WORKSPACE}"


def test_observation_counts_verdicts_and_hands_the_facts_on(tmp_path: Path) -> None:
    with host(tmp_path):
        fields = observe_certificates(Certificates(), Root(tmp_path))
    counts = {verdict: fields[verdict] for verdict in CertificateVerdict if fields[verdict]}
    assert counts == {"stale_in_memory": 1, "missing": 1, "expired": 1}
    assert (fields["count"], fields["needing_work"], fields["worst"]) == (3, 3, "missing")
    assert (fields["complete"], fields.complete) == (True, True)
    assert len(fields.certificates) == 3
    work = fields["work"]
    assert isinstance(work, list)
    assert work[0].startswith("/etc/nginx/a.pem: stale_in_memory: 127.0.0.1:")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["cert", "scan", *arguments])


def test_command_shows_a_table_of_80_columns_and_exits_8_for_work(tmp_path: Path) -> None:
    with host(tmp_path):
        result = run("--root", str(tmp_path))
    assert result.exit_code == 8
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["VERDICT", "SERVICE", "CERTIFICATE", "ENDS", "RENEWAL"]
    rows = [line.split()[:3] for line in lines[1:] if not line.startswith(" ")]
    assert rows == [
        ["missing", "nginx", "/etc/nginx/gone.pem"],
        ["expired", "nginx", "/etc/nginx/late.pem"],
        ["stale_in_memory", "nginx", "/etc/nginx/a.pem"],
    ]
    assert max(map(len, lines)) <= 80
    assert "certificates that need work: 3 of 3" in result.stderr


def test_command_exits_0_if_all_are_fresh(tmp_path: Path) -> None:
    put_pair(tmp_path, "a")
    result = run("--root", str(tmp_path), "--path", "/etc/nginx/*.pem", "-o", "jsonl")
    assert result.exit_code == 0
    [line] = result.stdout.splitlines()
    document = json.loads(line)
    assert (document["verdict"], document["path"]) == ("fresh", "/etc/nginx/a.pem")
    assert document["not_before"] == "2024-02-29T12:30:45Z"
    assert result.stderr == "certificates in use: 1, all fresh\n"


def test_command_writes_one_document(tmp_path: Path) -> None:
    result = run("--root", str(tmp_path), "--path", "/none*", "-o", "json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document == {
        "schema_version": 1,
        "complete": False,
        "problems": ["/none*: no file fits"],
        "silent": [],
        "certificates": [],
    }
    assert result.stderr == "not looked at: /none*: no file fits\nno certificate in use was found\n"


def test_command_refuses_a_duration_that_is_none() -> None:
    result = run("--timeout", "soon")
    assert result.exit_code == 2
    assert "soon" in result.stderr
