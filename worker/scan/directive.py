"""Configuration texts as directives: words on a place, whatever the daemon's own syntax."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from worker.scan.files import Files

_DEEPEST = 16  # files that include each other
_BRACES = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)
      | (?P<mark>[{};])
      | (?P<word>(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|\$\{[^}\s]{0,200}\}|[^\s{};"'\\])+)
      | (?P<stray>.)""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+""", re.DOTALL)
_QUOTED = re.compile(r""""((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|\\(.)|([^"'\\]+)""", re.DOTALL)
_ESCAPED = re.compile(r"\\([\"'\\])")


@dataclass(frozen=True, slots=True)
class Directive:
    """The words of one directive, its name first; `{` begins a block and `}` ends one."""

    words: tuple[str, ...]
    file: str
    line: int

    @property
    def name(self) -> str:
        return self.words[0]

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def opens(self) -> bool:
        return self.words[-1] == "{"

    @property
    def closes(self) -> bool:
        return self.words[0] == "}"


Reader = Callable[[str, str], Iterable[Directive]]  # takes a text and its file's path
Includes = Callable[[Directive], Iterable[str]]  # the patterns that a directive includes


def read_braces(text: str, file: str) -> Iterator[Directive]:
    """Read `name words;` and `name words { … }`, as nginx has it."""
    words: list[str] = []
    begun = line = 1
    for token in _BRACES.finditer(text):
        line = line + token[0].count("\n") if token["skip"] else line
        if token["word"]:
            begun = begun if words else line
            words.append(unquote(token["word"]))
            line += token[0].count("\n")
        elif token["mark"]:
            if token["mark"] != "}" and words:
                yield Directive((*words, *token["mark"].strip(";")), file, begun)
            if token["mark"] == "}":
                yield Directive(("}",), file, line)
            words = []


def read_lines(text: str, file: str) -> Iterator[Directive]:
    """Read a directive a line, as Apache and HAProxy have it; a backslash at its end goes on."""
    for number, line in _whole_lines(text):
        words = split_words(line)
        if words:
            yield Directive(tuple(words), file, number)


def split_words(line: str) -> list[str]:
    """Return the words of a line up to a comment, without their quotes."""
    words = []
    for found in _WORDS.finditer(line):
        if found[0].startswith("#"):
            break
        words.append(unquote(found[0]))
    return words


def unquote(word: str) -> str:
    """Return a word without its quotes and escapes."""
    return "".join(
        _ESCAPED.sub(r"\1", part[1] or part[2] or "") + (part[3] or "") + (part[4] or "")
        for part in _QUOTED.finditer(word)
    )


def _whole_lines(text: str) -> Iterator[tuple[int, str]]:
    held, begun = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        begun = begun if held else number
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        yield begun, held + line
        held = ""
    if held:
        yield begun, held


def follow(path: str, read: Reader, includes: Includes, files: Files) -> Iterator[Directive]:
    """Read a configuration with all that it includes, each in its place."""
    yield from _follow(path, read, includes, files, ())


def _follow(
    path: str, read: Reader, includes: Includes, files: Files, above: tuple[str, ...]
) -> Iterator[Directive]:
    real = files.real(path)
    if real in above or len(above) >= _DEEPEST:
        files.tell(f"{path}: included by itself, or too deep: not followed")
        return
    text = files.text(path)
    for directive in read(text, path) if text is not None else ():
        yield directive
        for pattern in () if files.is_spent else includes(directive):
            for below in files.expand(pattern):
                yield from _follow(below, read, includes, files, (*above, real))


def beside(directory: str, path: str) -> str:
    """Return a path that may be relative to a directory."""
    return os.path.normpath(os.path.join(directory, path))  # noqa: PTH118 - paths of the host
