"""Configurations that nobody would write: a scan tells what it can, and never falls over."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import convert, to_builtins

from contract.certificate import CertificateFact
from tests.unit.worker.scan.samples import lay_out
from tests.unit.worker.scan.test_daemons import BY_NAME, owner, read
from worker.root import Root
from worker.scan.discovery import Wishes
from worker.scan.files import Files
from worker.scan.renewal import TOOLS, Renewed
from worker.scan.scan import scan

WHERE = {
    "nginx": "/etc/nginx/nginx.conf",
    "apache2": "/etc/apache2/apache2.conf",
    "haproxy": "/etc/haproxy/haproxy.cfg",
    "postgresql": "/etc/postgresql/15/main/postgresql.conf",
    "postfix": "/etc/postfix/main.cf",
    "dovecot": "/etc/dovecot/dovecot.conf",
}
TOOLS_FILES = (
    "/etc/letsencrypt/renewal/a.conf",
    "/etc/systemd/system/a@.service",
    "/etc/systemd/system/b.service",
    "/etc/dehydrated/config",
    "/etc/crontab",
)
# acme.sh has files of its own, whatever is in the configuration beside them.
OWN = Renewed(
    "acme.sh", ("/root/.acme.sh/a/fullchain.cer", "/root/.acme.sh/a/a.cer"), scheduled=False
)
# What readers look for, so that chance finds the ways behind it.
WORDS = st.sampled_from(
    [
        *("ssl_certificate", "ssl_certificate_key", "include", "SSLCertificateFile", "Include"),
        *("bind", "crt", "crt-list", "crt-base", "load", "ssl", "ssl_cert_file", "data_directory"),
        *("smtpd_tls_cert_file", "smtpd_tls_chain_files", "ssl_cert", "!include", "include_dir"),
        *("fullchain", "Le_RealFullChainPath='", "step ca renew", "CERTDIR", "Environment="),
        *(
            " ",
            "\n",
            "=",
            " = on\n",
            "{",
            "}",
            ";",
            "'",
            '"',
            "\\",
            "$",
            "${a}",
            "<",
            "<Macro",
        ),
        *("/", "..", "*", "[", "#", "\0", "/etc/nginx/nginx.conf", "%", ","),
    ]
)
TEXTS = st.lists(WORDS | st.text(max_size=5), max_size=25).map("".join)


@example("smtpd_tls_chain_files=relative.pem")
@example("frontend f\n bind :443 ssl crt relative.pem")
@settings(max_examples=25, deadline=None)
@given(TEXTS)
@example("ssl_certificate /a\0b;\nssl = on\nssl_cert_file = '/a\0b'\nssl_cert = </a\0b")
@example("bind crt /a\0b crt-list /c\0d\nInclude /a\0b\nSSLCertificateFile /a\0b")
@example("include " + "a" * 5000 + ";")
@example("fullchain = /a\0b\nstep ca renew /a\0b\nCERTDIR=/a\0b")
def test_no_configuration_brings_a_scan_down(text: str) -> None:
    """Each file of each daemon and tool has the text; what certificates come of it are judged."""
    with tempfile.TemporaryDirectory() as directory:
        root = lay_out(Path(directory), dict.fromkeys((*WHERE.values(), *TOOLS_FILES), text))
        found = scan(Wishes(ports=False), Root(root))
        assert all(fact.path.startswith("/") for fact in found.facts)
        assert convert(to_builtins(found.facts), tuple[CertificateFact, ...]) == found.facts


def test_path_that_no_report_can_hold_is_told(tmp_path: Path) -> None:
    text = f"ssl_certificate /{'a' * 4000};"
    found = scan(Wishes(ports=False), Root(lay_out(tmp_path, {WHERE["nginx"]: text})))
    assert found.facts == ()
    assert found.problems[0] == "/etc/nginx/nginx.conf:1: not looked at, the path is too long"


@pytest.mark.parametrize("name", WHERE)
def test_process_with_odd_arguments_brings_no_reader_down(name: str, tmp_path: Path) -> None:
    for line in ("", "x -c", "x -c relative", "x -f /none -f", "x -D", "x -c ssl=on"):
        assert read(name, tmp_path, [owner(line)])[0] == []


def test_odd_files_bring_no_tool_down(tmp_path: Path) -> None:
    """A directory where a file should be, and a link that leads nowhere."""
    for path in TOOLS_FILES:
        (tmp_path / path[1:]).mkdir(parents=True)
    (tmp_path / "etc/letsencrypt/renewal/b.conf").symlink_to("/none/at/all")
    (tmp_path / "root/.acme.sh/a/a.conf").mkdir(parents=True)
    files = Files(Root(tmp_path))
    assert [each for tool in TOOLS for each in tool(files)] == [OWN]
    assert set(BY_NAME) - {"omsagent"} == set(WHERE)
