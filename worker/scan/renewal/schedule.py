"""Whether anything runs a renewal tool by the clock: an enabled timer of systemd, or cron."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from worker.scan.files import Files

_TIMERS = "/etc/systemd/system/*.wants/*.timer"
_CRON_TABLES = (
    "/etc/crontab",
    "/etc/cron.d/*",
    "/var/spool/cron/crontabs/*",  # Debian
    "/var/spool/cron/*",
)
_CRON_SCRIPTS = ("/etc/cron.hourly/*", "/etc/cron.daily/*", "/etc/cron.weekly/*")
_BOOTED = "/run/systemd/system"  # what packages test for before cron does a timer's work


def timers(files: Files) -> list[str]:
    """Return the names of the timers that are enabled."""
    return [PurePosixPath(path).name for path in files.expand(_TIMERS)]


def cron_lines(files: Files) -> Iterator[str]:
    """Give the lines of all cron tables and scripts that are run on this host."""
    systemd = files.is_directory(_BOOTED)
    for pattern in (*_CRON_TABLES, *_CRON_SCRIPTS):
        for path in files.expand(pattern):
            if files.is_file(path):
                yield from live_lines(files.text(path) or "", systemd=systemd)


def live_lines(table: str, *, systemd: bool) -> Iterator[str]:
    """Give a table's lines without comments, and without those that leave it to systemd."""
    for line in table.splitlines():
        text = line.strip()
        leaves = systemd and "-d /run/systemd/system" in text and "!" in text
        if text and not text.startswith("#") and not leaves:
            yield text
