"""A program and its words as one text, quoted as a shell would have it; no shell ever sees it."""

import shlex
from posixpath import normpath

MAX_WORDS = 256  # as many as `command` takes


def words_of(text: str) -> tuple[str, ...]:
    """Split a text into words, as a shell does with blanks, quotes and backslashes.

    Raises ValueError for a quote that is not closed.
    """
    return tuple(shlex.split(text))


def is_plain_path(program: str) -> bool:
    """Tell whether a program is named by an absolute path without `..`, `.` or `//`."""
    return program.startswith("/") and f"/{program.lstrip('/')}" == normpath(program)


def complaint_about_program(text: str) -> str:
    """Return what is wrong with a text that should be a program and its words, if anything."""
    try:
        words = words_of(text)
    except ValueError as error:
        return f"is no command: {str(error).lower()}"
    if not words or not is_plain_path(words[0]):
        return "is no command: it begins with the program's absolute path"
    if len(words) > MAX_WORDS:
        return f"is a command of more than {MAX_WORDS} words"
    return ""
