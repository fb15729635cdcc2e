"""Which tool renews which file, and whether anything starts it."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.worker.observations.certificates import certificate, key_pem, pem
from tests.unit.worker.scan import samples
from tests.unit.worker.scan.samples import lay_out
from worker.certificate.description import Certificate
from worker.certificate.reading import read_certificate
from worker.certificate.witness import Held
from worker.root import Root
from worker.scan.files import Files
from worker.scan.renewal import TOOLS, Renewals
from worker.scan.renewal.acme_sh import installed
from worker.scan.renewal.dehydrated import directory
from worker.scan.renewal.step import renewed_by

RENEWAL = "/etc/letsencrypt/renewal/a.example.conf"
LIVE = "/etc/letsencrypt/live/a.example/fullchain.pem"
ARCHIVE = "/etc/letsencrypt/archive/a.example/fullchain3.pem"
SCHEDULED, NOT_SCHEDULED = "certbot", "certbot, not scheduled"
TIMER = "/etc/systemd/system/timers.target.wants/certbot.timer"


def tool_of(path: str, root: Path) -> tuple[str, list[str]]:
    """The tool of a file, and what was not understood on the way."""

    def leaf(path: str) -> Certificate | None:
        held = read_certificate(root / path.lstrip("/"))
        return held.leaf if isinstance(held, Held) else None

    files = Files(Root(root))
    renewals = Renewals([each for tool in TOOLS for each in tool(files)], leaf)
    return renewals.of(path, files), files.problems


def with_certbot(root: Path, **more: str) -> None:
    """A lineage as certbot leaves it: links in `live` lead to numbered files."""
    own = pem(certificate(ec.generate_private_key(ec.SECP256R1()))).decode()
    lay_out(root, {RENEWAL: samples.CERTBOT, ARCHIVE: own, **more})
    (root / LIVE[1:]).parent.mkdir(parents=True)
    (root / LIVE[1:]).symlink_to("../../archive/a.example/fullchain3.pem")


def test_certbot_renews_its_own_files_and_links_to_them(tmp_path: Path) -> None:
    with_certbot(tmp_path, **{TIMER: ""})
    (tmp_path / "nginx.pem").symlink_to(LIVE[1:])
    for path in (LIVE, ARCHIVE, "/nginx.pem"):
        assert tool_of(path, tmp_path) == ("certbot", [])


def test_certbot_renews_a_copy_of_its_certificate(tmp_path: Path) -> None:
    """A deploy hook has put it into one file with the key, as HAProxy wants it."""
    with_certbot(tmp_path, **{TIMER: ""})
    key = key_pem(ec.generate_private_key(ec.SECP256R1())).decode()
    lay_out(tmp_path, {"/haproxy.pem": key + (tmp_path / ARCHIVE[1:]).read_text()})
    assert tool_of("/haproxy.pem", tmp_path)[0] == "certbot"


def test_certbot_does_not_renew_what_is_not_its_own(tmp_path: Path) -> None:
    """Neither another certificate, nor a file without any; `cert` below a heading is an option."""
    with_certbot(tmp_path, **{TIMER: ""})
    other = pem(certificate(ec.generate_private_key(ec.SECP256R1()))).decode()
    lay_out(tmp_path, {"/other.pem": other, "/empty.pem": "", "/not/this/one.pem": ""})
    for path in ("/other.pem", "/empty.pem", "/absent.pem", "/not/this/one.pem"):
        assert tool_of(path, tmp_path)[0] == ""


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, NOT_SCHEDULED),
        ({TIMER: ""}, SCHEDULED),
        ({"/etc/systemd/system/timers.target.wants/snap.certbot.renew.timer": ""}, SCHEDULED),
        ({"/etc/systemd/system/timers.target.wants/logrotate.timer": ""}, NOT_SCHEDULED),
        ({"/etc/cron.d/certbot": samples.CERTBOT_CRON}, SCHEDULED),
        ({"/etc/cron.d/certbot": samples.CERTBOT_CRON, "/run/systemd/system/x": ""}, NOT_SCHEDULED),
        ({"/etc/cron.d/own": "#0 3 * * * root certbot renew\n"}, NOT_SCHEDULED),
        ({"/var/spool/cron/crontabs/root": "0 3 * * * certbot renew -q\n"}, SCHEDULED),
        ({"/etc/cron.daily/renew": "#!/bin/sh\ncertbot renew\n"}, SCHEDULED),
        ({"/etc/crontab": "0 3 * * * root certbot certificates\n"}, NOT_SCHEDULED),
    ],
)
def test_certbot_is_scheduled_by_a_timer_or_by_cron(
    files: dict[str, str], told: str, tmp_path: Path
) -> None:
    """Debian's cron table leaves it to the timer where systemd runs."""
    with_certbot(tmp_path, **files)
    assert tool_of(LIVE, tmp_path) == (told, [])


def test_certbot_lineage_without_files_is_told(tmp_path: Path) -> None:
    lay_out(tmp_path, {RENEWAL: "[renewalparams]\n"})
    assert tool_of("/x", tmp_path) == ("", [f"{RENEWAL}: names no certificate"])


ACME_CONF = """\
Le_Domain='a.example'
Le_RealKeyPath='/etc/nginx/a.key'
Le_RealFullChainPath='/etc/nginx/a.pem'
Le_RealCertPath=''
Le_ReloadCmd='__ACME_BASE64__START_eA==__ACME_BASE64__END_'
"""


def test_acme_sh_renews_its_own_files_and_where_it_installs_them(tmp_path: Path) -> None:
    home = "/root/.acme.sh"
    lay_out(
        tmp_path,
        {
            f"{home}/a.example_ecc/a.example.conf": ACME_CONF,
            f"{home}/ca/a.example.conf": ACME_CONF.replace("a.pem", "no.pem"),
            "/var/spool/cron/crontabs/root": f'0 0 * * * "{home}"/acme.sh --cron --home "{home}"\n',
        },
    )
    assert installed(ACME_CONF) == ["/etc/nginx/a.pem"]
    for path in ("/etc/nginx/a.pem", f"{home}/a.example_ecc/fullchain.cer"):
        assert tool_of(path, tmp_path) == ("acme.sh", [])
    assert tool_of("/etc/nginx/no.pem", tmp_path) == ("", [])


def test_acme_sh_is_found_where_cron_or_the_environment_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, {"/srv/acme/a.example/a.example.conf": ACME_CONF})
    assert tool_of("/etc/nginx/a.pem", tmp_path) == ("", [])
    monkeypatch.setenv("LE_WORKING_DIR", "/srv/acme")
    assert tool_of("/etc/nginx/a.pem", tmp_path) == ("acme.sh, not scheduled", [])
    monkeypatch.delenv("LE_WORKING_DIR")
    lay_out(tmp_path, {"/etc/cron.d/acme": "0 0 * * * root acme.sh --cron --home /srv/acme\n"})
    assert tool_of("/etc/nginx/a.pem", tmp_path) == ("acme.sh", [])


def test_step_renews_the_instances_that_a_timer_starts(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "/etc/systemd/system/cert-renewer@.service": samples.STEP_UNIT,
            f"/etc/systemd/system/timers.target.wants/{samples.STEP_TIMER}": "",
            "/etc/systemd/system/cert-renewer@a.service.d/own.conf": "[Service]\nNice=1\n",
        },
    )
    assert tool_of("/etc/step/certs/a.crt", tmp_path) == ("step", [])
    assert tool_of("/etc/step/certs/b.crt", tmp_path) == ("", [])


def test_step_as_a_daemon_or_by_cron_is_seen(tmp_path: Path) -> None:
    """A unit that is not started renews nothing by itself; a masked one is no file."""
    daemon = "[Service]\nExecStart=/usr/bin/step ca renew --daemon /d.crt /d.key\n"
    lay_out(
        tmp_path,
        {
            "/etc/systemd/system/step-renew.service": daemon,
            "/etc/cron.d/step": "*/15 * * * * root step ca renew --force /c.crt /c.key\n",
        },
    )
    (tmp_path / "etc/systemd/system/masked.service").symlink_to("/dev/null")
    assert tool_of("/d.crt", tmp_path) == ("step, not scheduled", [])
    assert tool_of("/c.crt", tmp_path) == ("step", [])
    wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    (wants / "step-renew.service").symlink_to("../step-renew.service")
    assert tool_of("/d.crt", tmp_path) == ("step", [])


def test_step_options_are_no_certificate() -> None:
    line = "ExecStart=step-cli ca renew --root /r.crt --ca-url=x --exec 'x y' \\\n /a.crt /a.key"
    assert renewed_by(line, "") == ["/a.crt"]
    assert renewed_by("ExecStart=step ca renew ${UNKNOWN} x", "") == []


def test_dehydrated_renews_what_is_in_its_directory(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "/etc/dehydrated/config": samples.DEHYDRATED,
            "/var/lib/dehydrated/certs/a.example/fullchain.pem": "",
            "/etc/cron.d/dehydrated": "0 3 * * * root dehydrated -c\n",
        },
    )
    assert tool_of("/var/lib/dehydrated/certs/a.example/cert.pem", tmp_path) == ("dehydrated", [])


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "/etc/dehydrated/certs"),
        ("BASEDIR=/b # here\n", "/b/certs"),
        ("CERTDIR='/c'\nBASEDIR=/b\n", "/c"),
        ('BASEDIR=/b\nCERTDIR="${BASEDIR}/c"\n', "/b/c"),
        ('CERTDIR="$HOME/c"\n', ""),
        ("#CERTDIR=/no\n", "/etc/dehydrated/certs"),
    ],
)
def test_dehydrated_directory_is_read_from_its_settings(text: str, where: str) -> None:
    assert directory(text) == where
