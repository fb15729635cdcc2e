"""The daemons whose configuration is read for certificates: one module each, and their table."""

from worker.scan.daemons.apache import APACHE
from worker.scan.daemons.daemon import Configured, Daemon
from worker.scan.daemons.dovecot import DOVECOT
from worker.scan.daemons.haproxy import HAPROXY
from worker.scan.daemons.nginx import NGINX
from worker.scan.daemons.omsagent import OMSAGENT
from worker.scan.daemons.postfix import POSTFIX
from worker.scan.daemons.postgres import POSTGRES

__all__ = ["DAEMONS", "Configured", "Daemon"]

DAEMONS: tuple[Daemon, ...] = (NGINX, APACHE, HAPROXY, POSTGRES, POSTFIX, DOVECOT, OMSAGENT)
