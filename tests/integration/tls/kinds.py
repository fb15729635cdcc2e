"""nginx, HAProxy and PostgreSQL from Debian's packages, each as small as it can be."""

import os
import pwd
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.integration.tls.daemon import Daemon
from tests.integration.tls.debian import program

Kind = Callable[[Path], Daemon]  # makes one in a directory; nothing runs yet

_STOP = """\
pid=$(head -n1 {pid_file} 2>/dev/null) && kill -{signal} "$pid" 2>/dev/null || exit 0
while grep -q '^State:.[^Z]' "/proc/$pid/status" 2>/dev/null; do sleep 0.02; done
"""
_RESTART = "./stop\nexec ./start"


def nginx(home: Path) -> Daemon:
    """A master and two workers."""
    found, daemon = program("nginx", "nginx"), Daemon(home, os.geteuid())
    words = f"{found.environment}{found.path} -p {home} -c {home}/conf -e {home}/log"
    temporary = "".join(
        f"{kind}_temp_path {home}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi")
    )
    (home / "conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''} worker_processes 2; pid {home}/pid;\n"
        f"events {{}} http {{ access_log off; {temporary} scgi_temp_path {home}/scgi;\n"
        f"server {{ listen 127.0.0.1:{daemon.port} ssl; return 204;\n"
        f"ssl_certificate {daemon.certificate}; ssl_certificate_key {daemon.key}; }} }}\n"
    )
    daemon.script("start", words)
    daemon.script("stop", _STOP.format(pid_file="pid", signal="TERM"))
    daemon.script("reload", f"{words} -s reload")
    daemon.script("restart", _RESTART)
    daemon.script("test", f"{words} -t")
    return daemon


def haproxy(home: Path) -> Daemon:
    """A master and its worker; certificate and key are in one file."""
    found, daemon = program("haproxy", "haproxy"), Daemon(home, os.geteuid(), combined=True)
    words = f"{found.environment}{found.path} -f {home}/conf"
    (home / "conf").write_text(
        "global\n  nbthread 2\ndefaults\n  mode http\n"
        "  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\n"
        f"frontend f\n  bind 127.0.0.1:{daemon.port} ssl crt {daemon.certificate}\n"
        "  http-request return status 204\n"
    )
    daemon.script("start", f"{words} -W -D -p {home}/pid 2>> log")
    daemon.script("stop", _STOP.format(pid_file="pid", signal="TERM"))
    daemon.script("reload", "kill -USR2 $(cat pid)")
    daemon.script("restart", _RESTART)
    daemon.script("test", f"{words} -c")
    return daemon


def postgresql(home: Path) -> Daemon:
    """A cluster of its own, never as root: it refuses that."""
    places = ("usr/lib/postgresql/*/bin",)
    found = program("postgres", "postgresql", places=places)
    tools = found.path.resolve().parent
    owner, prefix = os.geteuid(), ""
    if owner == 0:
        owner = pwd.getpwnam("nobody").pw_uid
        prefix = f"setpriv --reuid={owner} --regid={owner} --clear-groups "
    # Its scripts lie in a directory that is root's: what a service could exchange is not run.
    (home / "data").mkdir(mode=0o700)
    (home / "log").touch()
    for place in (home / "data", home / "log"):
        os.chown(place, owner, owner)
    daemon = Daemon(home, owner, starttls="postgres")
    run = f"exec {prefix}env {found.environment}"
    control = f"{run}{tools}/pg_ctl -D {home}/data -l {home}/log -t 10 -w"
    daemon.script(
        "init", f"{run}{tools}/initdb -D {home}/data -A trust --no-sync --no-locale -U postgres"
    )
    daemon.tell("init")
    (home / "data/postgresql.auto.conf").write_text(
        f"port = {daemon.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
        f"ssl = on\nssl_cert_file = '{daemon.certificate}'\nssl_key_file = '{daemon.key}'\n"
        "fsync = off\n"
    )
    daemon.script("start", f"{control} start")
    daemon.script("stop", f"[ ! -e data/postmaster.pid ] || {control} -m fast stop")
    daemon.script("reload", f"{control} reload")
    daemon.script("restart", f"{control} -m fast restart")
    return daemon


KINDS: Mapping[str, Kind] = {"nginx": nginx, "haproxy": haproxy, "postgresql": postgresql}
