"""certbot: one file in /etc/letsencrypt/renewal for each lineage."""

from collections.abc import Iterator

from worker.scan.files import Files
from worker.scan.renewal.schedule import cron_lines, timers
from worker.scan.renewal.tool import Renewed

_RENEWALS = "/etc/letsencrypt/renewal/*.conf"
_TIMERS = ("certbot.timer", "certbot-renew.timer", "snap.certbot.renew.timer")
_FILES = ("cert", "fullchain")


def lineage(text: str) -> tuple[str, ...]:
    """Return the live files that a lineage's configuration names."""
    found = []
    for line in text.splitlines():
        if line.startswith("["):
            break
        name, equals, value = line.partition("=")
        if equals and name.strip() in _FILES:
            found.append(value.strip())
    return tuple(path for path in found if path.startswith("/"))


def certbot(files: Files) -> Iterator[Renewed]:
    """Give what certbot renews."""
    configurations = files.expand(_RENEWALS)
    scheduled = bool(configurations) and _is_scheduled(files)
    for path in configurations:
        paths = lineage(files.text(path) or "")
        if paths:
            yield Renewed("certbot", paths, scheduled)
        else:
            files.tell(f"{path}: names no certificate")


def _is_scheduled(files: Files) -> bool:
    if any(timer in _TIMERS for timer in timers(files)):
        return True
    return any("certbot" in line and "renew" in line for line in cron_lines(files))
