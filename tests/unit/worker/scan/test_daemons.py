"""What each daemon's configuration says of certificates."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.worker.scan import samples
from tests.unit.worker.scan.samples import lay_out
from worker.root import Root
from worker.scan.daemons import DAEMONS, Configured
from worker.scan.files import Files
from worker.scan.owner import Owner

BY_NAME = {daemon.name: daemon for daemon in DAEMONS}
SNAKEOIL = ("/etc/ssl/certs/ssl-cert-snakeoil.pem", "/etc/ssl/private/ssl-cert-snakeoil.key")
WORKSPACE = "0b4e3e5e-4a3c-4d6f-9a55-0c3e3f7c1d2a"

# As the packages of Debian 12 have it, with TLS switched on where that is the administrator's part.
SHIPPED: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {
    "nginx": (
        {
            "/etc/nginx/nginx.conf": samples.NGINX,
            "/etc/nginx/sites-enabled/default": samples.NGINX_SITE,
            "/etc/nginx/snippets/snakeoil.conf": samples.SNAKEOIL,
        },
        [SNAKEOIL],
    ),
    "apache2": (
        {
            "/etc/apache2/apache2.conf": samples.APACHE,
            "/etc/apache2/sites-enabled/default-ssl.conf": samples.APACHE_SITE,
        },
        [SNAKEOIL],
    ),
    "haproxy": (
        {
            "/etc/haproxy/haproxy.cfg": samples.HAPROXY
            + "frontend web\n\tbind :443 ssl crt site.pem alpn h2\n",
            "/etc/ssl/private/site.pem": "-----BEGIN PRIVATE KEY-----",
        },
        [("/etc/ssl/private/site.pem", "/etc/ssl/private/site.pem")],
    ),
    "postgresql": ({"/etc/postgresql/15/main/postgresql.conf": samples.POSTGRES}, [SNAKEOIL]),
    "postfix": ({"/etc/postfix/main.cf": samples.POSTFIX}, [SNAKEOIL]),
    "dovecot": (
        {
            "/etc/dovecot/dovecot.conf": samples.DOVECOT,
            "/etc/dovecot/conf.d/10-ssl.conf": samples.DOVECOT_SSL,
        },
        [("/etc/dovecot/private/dovecot.pem", "/etc/dovecot/private/dovecot.key")],
    ),
    "omsagent": (
        {
            f"/etc/opt/microsoft/omsagent/{WORKSPACE}/conf/omsadmin.conf": "",
            "/etc/opt/microsoft/omsagent/sysconf/omsagent.conf": "",
            "/etc/opt/microsoft/omsagent/scom/conf/omsadmin.conf": "",
        },
        [
            (
                f"/etc/opt/microsoft/omsagent/{WORKSPACE}/certs/oms.crt",
                f"/etc/opt/microsoft/omsagent/{WORKSPACE}/certs/oms.key",
            )
        ],
    ),
}


def owner(command_line: str, start: int = 1, directory: str = "") -> Owner:
    return Owner(start, start, "x", "", command_line, directory=directory)


def read(
    name: str, root: Path, running: Sequence[Owner] = ()
) -> tuple[list[Configured], list[str]]:
    """What a daemon's reader finds below a root, and what it could not understand."""
    files = Files(Root(root))
    return list(BY_NAME[name].read(files, running)), files.problems


def pairs(found: list[Configured]) -> list[tuple[str, str]]:
    return [(each.path, each.key) for each in found]


@pytest.mark.parametrize("name", BY_NAME)
def test_configuration_of_debians_package_is_understood(name: str, tmp_path: Path) -> None:
    tree, wanted = SHIPPED[name]
    found, problems = read(name, lay_out(tmp_path, tree))
    assert pairs(found) == wanted
    assert problems == []


@pytest.mark.parametrize("name", BY_NAME)
def test_daemon_that_is_not_there_has_no_certificate(name: str, tmp_path: Path) -> None:
    assert read(name, tmp_path) == ([], [])


def test_place_tells_file_and_line(tmp_path: Path) -> None:
    found, _ = read("nginx", lay_out(tmp_path, SHIPPED["nginx"][0]))
    assert [each.place for each in found] == ["/etc/nginx/snippets/snakeoil.conf:2"]


def test_nginx_pairs_keys_with_certificates_block_by_block(tmp_path: Path) -> None:
    """Two pairs of one server, one for all servers, a key that is no file, and a variable."""
    text = """\
http {
  ssl_certificate all.pem; ssl_certificate_key all.key;
  server { ssl_certificate 'rsa x.pem'; ssl_certificate_key rsa.key;
           ssl_certificate /ec.pem; ssl_certificate_key "/e;c.key"; }
  server { ssl_certificate hsm.pem; ssl_certificate_key engine:pkcs11:id; }
  server { ssl_certificate_key late.key; location / { return 204; } ssl_certificate late.pem; }
  server { ssl_certificate /etc/$ssl_server_name.pem; ssl_certificate_key data:$key; }
  # server { ssl_certificate old.pem; }
}"""
    found, problems = read("nginx", lay_out(tmp_path, {"/etc/nginx/nginx.conf": text}))
    assert sorted(pairs(found)) == [
        ("/ec.pem", "/e;c.key"),
        ("/etc/nginx/all.pem", "/etc/nginx/all.key"),
        ("/etc/nginx/hsm.pem", ""),
        ("/etc/nginx/late.pem", "/etc/nginx/late.key"),
        ("/etc/nginx/rsa x.pem", "/etc/nginx/rsa.key"),
    ]
    assert problems == [
        (
            "/etc/nginx/nginx.conf:7: ssl_certificate /etc/$ssl_server_name.pem: "
            "not known before it is used"
        )
    ]


def test_nginx_with_a_configuration_of_its_own_is_read_as_that_process(tmp_path: Path) -> None:
    """Two masters, each with its configuration; their workers have none."""
    lay_out(
        tmp_path,
        {
            "/srv/a/n.conf": "ssl_certificate a.pem;",
            "/etc/nginx/nginx.conf": "ssl_certificate b.pem;",
        },
    )
    told = owner("nginx: master process /usr/sbin/nginx -c /srv/a/n.conf -g daemon on;")
    usual = owner("nginx: master process /usr/sbin/nginx", 3)
    found, _ = read("nginx", tmp_path, [told, owner("nginx: worker process", 2), usual])
    assert [(each.path, each.owner) for each in found] == [
        ("/srv/a/a.pem", told),
        ("/etc/nginx/b.pem", usual),
    ]
    found, _ = read("nginx", tmp_path, [told])
    assert [(each.path, each.owner) for each in found] == [
        ("/srv/a/a.pem", told),
        ("/etc/nginx/b.pem", None),  # installed, and not what runs
    ]


@pytest.mark.parametrize(
    ("name", "running", "wanted"),
    [
        ("nginx", owner("nginx: master process nginx -p /srv -c n.conf"), "/srv/a.pem"),
        ("haproxy", owner("haproxy -f h.cfg", directory="/srv"), "/srv/a.pem"),
        ("postgresql", owner("postgres -D srv", directory="/srv"), "/srv/a.pem"),
        ("postgresql", owner("postgres", directory="/srv"), "/srv/a.pem"),
    ],
)
def test_relative_configuration_is_that_of_where_the_daemon_works(
    name: str, running: Owner, wanted: str, tmp_path: Path
) -> None:
    lay_out(
        tmp_path,
        {
            "/srv/n.conf": "ssl_certificate a.pem;",
            "/srv/h.cfg": "frontend f\n bind :443 ssl crt /srv/a.pem\n",
            "/srv/postgresql.conf": "ssl = on\nssl_cert_file = 'a.pem'\n",
            "/srv/a.pem": "",
        },
    )
    found, problems = read(name, tmp_path, [running])
    assert [(each.path, each.owner) for each in found] == [(wanted, running)]
    assert problems == []


@pytest.mark.parametrize(
    ("name", "command_line"),
    [
        ("nginx", "nginx: master process nginx -c n.conf"),
        ("haproxy", "haproxy -f h.cfg"),
        ("postgresql", "postgres -D data"),
        ("postgresql", "postgres -D /data -c config_file=p.conf"),
    ],
)
def test_relative_configuration_of_a_daemon_that_works_nobody_knows_where_is_told(
    name: str, command_line: str, tmp_path: Path
) -> None:
    """Else the scan would pass for complete."""
    _, problems = read(name, tmp_path, [owner(command_line)])
    [problem] = problems
    assert "relative to nothing known" in problem


def test_apache_reads_sections_whatever_their_case_and_tells_variables(tmp_path: Path) -> None:
    text = """\
Include ${CONF}/x.conf
<virtualhost *:443>
sslcertificatefile "ssl/a b.pem"
</virtualhost>
<VirtualHost *:8443>
SSLCertificateKeyFile /b.key
SSLCertificateFile \\
  /b.pem
SSLCertificateFile ${CERTS}/c.pem
</VirtualHost>
"""
    found, problems = read("apache2", lay_out(tmp_path, {"/etc/httpd/conf/httpd.conf": text}))
    assert pairs(found) == [("/etc/httpd/ssl/a b.pem", ""), ("/b.pem", "/b.key")]
    assert problems == [
        "/etc/httpd/conf/httpd.conf:1: Include ${CONF}/x.conf: not followed",
        "/etc/httpd/conf/httpd.conf:9: SSLCertificateFile ${CERTS}/c.pem: not understood",
    ]
