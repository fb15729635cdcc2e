"""What each daemon's configuration says of certificates: those that do not serve the web alone."""

from pathlib import Path

from tests.unit.worker.scan.samples import lay_out
from tests.unit.worker.scan.test_daemons import WORKSPACE, owner, pairs, read

KEY = "-----BEGIN RSA PRIVATE KEY-----"


def test_haproxy_finds_files_directories_bundles_and_lists(tmp_path: Path) -> None:
    """What stands beside a certificate in a directory is none; a list is relative to crt-base."""
    lay_out(
        tmp_path,
        {
            "/etc/haproxy/haproxy.cfg": """\
global
  crt-base /c
frontend f
  bind :443 ssl crt /d crt one.pem crt-list /list no-alpn
  bind :8443 ssl crt pair.pem
  bind :9443 ssl crt "$CERT"
  bind :80 name crt
backend b
  server s 10.0.0.1:443 ssl crt client.pem
""",
            "/list": "# the list\n\nsite.pem [alpn h2] *.a.example !b.a.example\n/abs.pem\n",
            "/c/one.pem": "-----BEGIN CERTIFICATE-----",
            "/c/one.pem.key": KEY,
            "/c/pair.pem.rsa": KEY,
            "/c/pair.pem.ecdsa": KEY,
            "/d/a.pem": KEY,
            "/d/a.pem.ocsp": "",
            "/d/b.crt": "",
            "/d/b.key": KEY,
            "/d/.hidden": "",
            "/d/sub/c.pem": "",
        },
    )
    found, problems = read("haproxy", tmp_path)
    assert pairs(found) == [
        ("/d/a.pem", "/d/a.pem"),
        ("/d/b.crt", "/d/b.key"),
        ("/c/one.pem", "/c/one.pem.key"),
        ("/c/pair.pem.rsa", "/c/pair.pem.rsa"),
        ("/c/pair.pem.ecdsa", "/c/pair.pem.ecdsa"),
        ("/c/site.pem", ""),
        ("/abs.pem", ""),
    ]
    assert problems == [
        "/etc/haproxy/haproxy.cfg:6: crt /c/$CERT: variables are not followed",
    ]


def test_haproxy_reads_all_files_that_a_process_was_told(tmp_path: Path) -> None:
    """A directory stands for its .cfg files, and crt-base counts for all of them."""
    lay_out(
        tmp_path,
        {
            "/g.cfg": "global\n crt-base /c",
            "/h/1.cfg": "frontend f\n bind :1 ssl crt x.pem",
            "/h/2.off": "frontend f\n bind :1 ssl crt y.pem",
        },
    )
    running = owner("/usr/sbin/haproxy -Ws -f /g.cfg -f /h -p /run/haproxy.pid")
    found, _ = read("haproxy", tmp_path, [running])
    assert [(each.path, each.owner) for each in found] == [("/c/x.pem", running)]


def test_haproxy_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    text = "frontend f\n bind :443 ssl crt-list /none"
    found, problems = read("haproxy", lay_out(tmp_path, {"/etc/haproxy/haproxy.cfg": text}))
    assert found == []
    assert problems == ["/etc/haproxy/haproxy.cfg:2: crt-list /none: can't be read"]


def test_postgres_takes_the_last_setting_of_all_files(tmp_path: Path) -> None:
    """The order is: the file with what it includes, ALTER SYSTEM, the command line."""
    lay_out(
        tmp_path,
        {
            "/etc/postgresql/15/main/postgresql.conf": """\
ssl off
ssl_cert_file = 'first.crt'
include_dir = 'conf.d'
include_if_exists 'none.conf'
data_directory = '/data'
ssl_key_file = 'it''s.key'  # quotes are doubled
""",
            "/etc/postgresql/15/main/conf.d/tls.conf": "SSL = TRUE\nssl_cert_file='second.crt'\n",
        },
    )
    found, _ = read("postgresql", tmp_path)
    assert pairs(found) == [("/data/second.crt", "/data/it's.key")]
    lay_out(tmp_path, {"/data/postgresql.auto.conf": "ssl_cert_file = 'third.crt'\n"})
    found, _ = read("postgresql", tmp_path)
    assert pairs(found) == [("/data/third.crt", "/data/it's.key")]
    running = owner(
        "/usr/lib/postgresql/15/bin/postgres -D /data"
        " -c config_file=/etc/postgresql/15/main/postgresql.conf -c ssl_cert_file=/fourth.crt"
    )
    found, _ = read("postgresql", tmp_path, [owner("postgres: checkpointer", 2), running])
    assert [(each.path, each.owner) for each in found] == [("/fourth.crt", running)]


def test_postgres_without_tls_has_no_certificate(tmp_path: Path) -> None:
    for text in ("", "ssl = off", "#ssl = on", "ssl = on\nssl = off"):
        lay_out(tmp_path, {"/var/lib/pgsql/data/postgresql.conf": text})
        assert read("postgresql", tmp_path) == ([], [])


def test_postgres_with_nothing_but_tls_has_its_files_beside_the_data(tmp_path: Path) -> None:
    """The pid file is told only while there is one: a stopped cluster uses no certificate."""
    lay_out(tmp_path, {"/var/lib/pgsql/data/postgresql.conf": "ssl = on"})
    [found] = read("postgresql", tmp_path)[0]
    assert (found.path, found.key) == (
        "/var/lib/pgsql/data/server.crt",
        "/var/lib/pgsql/data/server.key",
    )
    assert found.pid_file == ""
    lay_out(tmp_path, {"/var/lib/pgsql/data/postmaster.pid": "1\n"})
    [found] = read("postgresql", tmp_path)[0]
    assert found.pid_file == "/var/lib/pgsql/data/postmaster.pid"


def test_postfix_follows_variables_chains_and_services_of_their_own(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "/etc/postfix/main.cf": """\
certs = /c
smtpd_tls_cert_file =
# a comment between
    ${certs}/a.pem
smtpd_tls_eccert_file = $(certs)/ec.pem
smtpd_tls_eckey_file = $certs/ec.key
smtpd_tls_dcert_file = none
""",
            "/etc/postfix/master.cf": """\
smtp      inet  n       -       y       -       -       smtpd
#  -o smtpd_tls_cert_file=/no.pem
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_chain_files=/s.pem,/t.pem
""",
            "/etc/postfix-two/main.cf": "smtpd_tls_cert_file = $unknown/b.pem\n",
        },
    )
    found, problems = read("postfix", tmp_path)
    assert pairs(found) == [
        ("/c/a.pem", "/c/a.pem"),
        ("/c/ec.pem", "/c/ec.key"),
        ("/s.pem", "/s.pem"),
        ("/t.pem", "/t.pem"),
    ]
    assert problems == [
        "/etc/postfix-two/main.cf:1: smtpd_tls_cert_file = $unknown/b.pem: not understood"
    ]


def test_postfix_variable_that_holds_itself_ends(tmp_path: Path) -> None:
    text = "a = $a$a$a$a\nsmtpd_tls_cert_file = $a\n"
    found, [problem] = read("postfix", lay_out(tmp_path, {"/etc/postfix/main.cf": text}))
    assert found == []
    assert problem.startswith("/etc/postfix/main.cf:2: smtpd_tls_cert_file")
    assert len(problem) < 1000


def test_dovecot_reads_both_ways_of_writing_and_blocks(tmp_path: Path) -> None:
    text = """\
ssl_cert = </first.pem
ssl_cert = <private/second.pem # the last one counts
ssl_key = </second.key
local_name mail.b.example {
  ssl_cert = </b.pem
  ssl_key = </b.key
}
local 10.0.0.1 {
  ssl_server_cert_file = /new.pem
  ssl_server_key_file = "/new.key"
}
protocol imap {
  ssl_cert = -----BEGIN CERTIFICATE-----
}
"""
    found, problems = read("dovecot", lay_out(tmp_path, {"/etc/dovecot/dovecot.conf": text}))
    assert pairs(found) == [
        ("/b.pem", "/b.key"),
        ("/new.pem", "/new.key"),
        ("/etc/dovecot/private/second.pem", "/second.key"),
    ]
    assert problems == ["/etc/dovecot/dovecot.conf:13: ssl_cert names no file: not looked at"]


def test_dovecot_without_tls_uses_no_certificate(tmp_path: Path) -> None:
    text = "ssl_cert = </a.pem\nssl = no\n"
    assert read("dovecot", lay_out(tmp_path, {"/etc/dovecot/dovecot.conf": text})) == ([], [])


def test_oms_agent_is_known_by_its_workspace(tmp_path: Path) -> None:
    """Its pid file tells who uses the certificate, and the workspace names the service."""
    lay_out(tmp_path, {f"/etc/opt/microsoft/omsagent/{WORKSPACE}/certs/oms.crt": ""})
    [found] = read("omsagent", tmp_path)[0]
    assert found.service == f"omsagent-{WORKSPACE}"
    assert found.pid_file == f"/var/opt/microsoft/omsagent/{WORKSPACE}/run/omsagent.pid"
