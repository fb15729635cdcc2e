"""dehydrated: a directory for each certificate, and one configuration of shell assignments."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from worker.scan.files import Files
from worker.scan.renewal.schedule import cron_lines, timers
from worker.scan.renewal.tool import Renewed

_CONFIGURATIONS = ("/etc/dehydrated/config", "/etc/dehydrated/conf.d/*.sh")
_SETTING = re.compile(
    r"^[ \t]*+(BASEDIR|CERTDIR)=[\"']?([^\"'\n#]*+)[\"']?[ \t]*+(?:#.*)?$", re.MULTILINE
)
_BASE = "/etc/dehydrated"
_OF_BASE = re.compile(r"\$\{BASEDIR\}|\$BASEDIR\b")


def directory(text: str) -> str:
    """Return where the certificates are; empty if it is not understood."""
    found = {name: value.rstrip() for name, value in _SETTING.findall(text)}
    named = found.get("CERTDIR") or "${BASEDIR}/certs"
    path = _OF_BASE.sub(lambda _found: found.get("BASEDIR") or _BASE, named)
    return path if path.startswith("/") and "$" not in path else ""


def dehydrated(files: Files) -> Iterator[Renewed]:
    """Give what dehydrated renews."""
    paths = [path for pattern in _CONFIGURATIONS for path in files.expand(pattern)]
    if not paths:
        return
    at = directory("\n".join(files.text(path) or "" for path in paths))
    if not at:
        files.tell(f"{paths[0]}: CERTDIR is not understood")
        return
    scheduled = "dehydrated.timer" in timers(files)
    scheduled = scheduled or any("dehydrated" in line for line in cron_lines(files))
    for path in files.expand(f"{at}/*/fullchain.pem"):
        own = str(PurePosixPath(path).with_name("cert.pem"))
        yield Renewed("dehydrated", (path, own), scheduled)
