"""acme.sh: a directory for each certificate, with where it was installed in its `.conf`."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from worker.scan.files import Files
from worker.scan.renewal.schedule import cron_lines
from worker.scan.renewal.tool import Renewed

_HOMES = ("/root/.acme.sh", "/home/*/.acme.sh", "/etc/acme.sh")
_ELSEWHERE = "LE_WORKING_DIR"
_IN_CRON = re.compile(r"--(?:home|config-home)\s+\"?([^\s\"]+)")
_SETTING = re.compile(r"^(\w+)='([^'\n]*)'", re.MULTILINE)
_INSTALLED = ("Le_RealCertPath", "Le_RealFullChainPath")


def settings(text: str) -> dict[str, str]:
    """Return the settings of a certificate's `.conf`."""
    return dict(_SETTING.findall(text))


def installed(text: str) -> list[str]:
    """Return the files into which a certificate is copied after each renewal."""
    found = settings(text)
    return [found[name] for name in _INSTALLED if found.get(name, "").startswith("/")]


def acme_sh(files: Files) -> Iterator[Renewed]:
    """Give what acme.sh renews."""
    lines = [line for line in cron_lines(files) if "acme.sh" in line and "--cron" in line]
    for home in _homes(lines):
        for path in files.expand(f"{home}/*/*.conf"):
            found = PurePosixPath(path)
            domain = found.stem
            if found.parent.name not in (domain, f"{domain}_ecc"):
                continue  # a CA's account, or a request's configuration
            own = [f"{found.parent}/fullchain.cer", f"{found.parent}/{domain}.cer"]
            paths = (*installed(files.text(path) or ""), *own)
            yield Renewed("acme.sh", paths, bool(lines))


def _homes(lines: Iterable[str]) -> list[str]:
    told = [os.environ.get(_ELSEWHERE, ""), *(f for line in lines for f in _IN_CRON.findall(line))]
    return list(dict.fromkeys([*_HOMES, *(home for home in told if home.startswith("/"))]))
