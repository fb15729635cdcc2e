"""step: units and cron lines that run `step ca renew` for a certificate's file."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from worker.scan.directive import split_words
from worker.scan.files import Files
from worker.scan.renewal.schedule import cron_lines, timers
from worker.scan.renewal.tool import Renewed

_UNITS = ("/etc/systemd/system/*.service", "/lib/systemd/system/*.service")
_WANTED = "/etc/systemd/system/*.wants/*.service"
_RENEW = re.compile(r"\b(?:step|step-cli) ca renew\b(.*)")
_ENVIRONMENT = re.compile(r"^Environment=(.*)$", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")
_FLAGS = ("-f", "--force", "--daemon", "--offline", "--mtls")  # options without a value


def renewed_by(text: str, instance: str) -> list[str]:
    """Return the certificates that a unit's text, or a line of cron, renews."""
    whole = text.replace("\\\n", " ").replace("%i", instance).replace("%I", instance)
    variables = _variables(whole)
    calls = [split_words(found) for found in _RENEW.findall(whole)]
    files = [_first_file(words, variables) for words in calls]
    return [path for path in dict.fromkeys(files) if path]


def _variables(text: str) -> dict[str, str]:
    pairs = [word for line in _ENVIRONMENT.findall(text) for word in split_words(line)]
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _first_file(words: Iterable[str], variables: Mapping[str, str]) -> str:
    """Return the first argument, which is the certificate; options and their values are none."""
    left = iter(words)
    for word in left:
        if word.startswith("-"):
            if word not in _FLAGS and "=" not in word:
                next(left, None)
            continue
        path = _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], ""), word)
        return path if path.startswith("/") else ""
    return ""


def step(files: Files) -> Iterator[Renewed]:
    """Give what `step ca renew` renews."""
    names = timers(files)
    started = {PurePosixPath(path).name for path in files.expand(_WANTED)}
    for unit, text in _texts(files).items():
        for instance, timer in _instances(unit, names):
            for path in renewed_by(_with_drop_ins(unit, instance, text, files), instance):
                goes = timer or _itself(unit, instance) in started  # as a daemon of its own
                yield Renewed("step", (path,), goes)
    for line in cron_lines(files):
        for path in renewed_by(line, ""):
            yield Renewed("step", (path,), scheduled=True)


def _texts(files: Files) -> dict[str, str]:
    """Return the text of every unit that renews, by its name."""
    found: dict[str, str] = {}
    for path in [path for pattern in _UNITS for path in files.expand(pattern)]:
        text = (files.text(path) or "") if files.is_file(path) else ""  # a masked one is a device
        if _RENEW.search(text):
            found.setdefault(PurePosixPath(path).name, text)
    return found


def _instances(unit: str, timers: Iterable[str]) -> list[tuple[str, bool]]:
    """Return the instances of a unit, and whether a timer starts each."""
    stem = unit.removesuffix(".service")
    if not stem.endswith("@"):
        return [("", f"{stem}.timer" in timers)]
    named = [timer.removesuffix(".timer") for timer in timers if timer.startswith(stem)]
    return [(name.removeprefix(stem), True) for name in named]


def _with_drop_ins(unit: str, instance: str, text: str, files: Files) -> str:
    found = files.expand(f"/etc/systemd/system/{_itself(unit, instance)}.d/*.conf")
    return "\n".join([text, *(files.text(path) or "" for path in found)])


def _itself(unit: str, instance: str) -> str:
    return unit.replace("@.", f"@{instance}.")
