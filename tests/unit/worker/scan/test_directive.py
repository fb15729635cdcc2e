"""Configuration texts become directives, whatever stands in them."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.root import Root
from worker.scan import files
from worker.scan.daemons.dovecot import read_settings as read_dovecot
from worker.scan.daemons.postfix import read_main, read_master
from worker.scan.daemons.postgres import read_settings as read_postgres
from worker.scan.directive import Directive, follow, read_braces, read_lines, split_words
from worker.scan.files import Files

READERS = (read_braces, read_lines, read_postgres, read_main, read_master, read_dovecot)
WORDS = st.lists(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1), min_size=1)


def quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(WORDS)
def test_words_in_quotes_are_read_as_they_were_written(words: list[str]) -> None:
    assert split_words(" ".join(map(quoted, words))) == words


@given(WORDS)
def test_directive_in_braces_is_read_as_it_was_written(words: list[str]) -> None:
    """Semicolons, braces, comments and newlines within quotes are a word's own."""
    text = "\n\nblock {" + " ".join(map(quoted, words)) + ";}"
    lines = text.count("\n") + 1
    assert list(read_braces(text, "x")) == [
        Directive(("block", "{"), "x", 3),
        Directive(tuple(words), "x", 3),
        Directive(("}",), "x", lines),
    ]


@given(st.text())
@example('"')
@example("a {{ } ; '")
@example("\\")
@example("x = '")
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    for reader in READERS:
        assert isinstance(list(reader(text, "x")), list)


def test_long_texts_are_read_in_a_moment() -> None:
    """No pattern goes back and forth over what does not close; the suite's time limit holds it."""
    for text in ('"' + "a" * 100_000, "\\" * 100_000, "{" * 100_000, "'a" * 50_000, " " * 100_000):
        for reader in READERS:
            list(reader(text, "x"))


def test_words_end_at_a_comment_and_lines_go_on_after_a_backslash() -> None:
    text = "SSLCertificateFile \\\n  \"/a b/c.pem\" # the old one\n#x\nOther it\\ is 'a\\b'\n"
    assert list(read_lines(text, "x")) == [
        Directive(("SSLCertificateFile", "/a b/c.pem"), "x", 1),
        Directive(("Other", "it is", "a\\b"), "x", 4),
    ]


def included(directive: Directive) -> list[str]:
    return list(directive.words[1:]) if directive.name == "include" else []


def names(root: Path, start: str) -> tuple[list[str], list[str]]:
    """The names of all directives in their order, and the problems."""
    reader = Files(Root(root))
    found = [directive.name for directive in follow(start, read_lines, included, reader)]
    return found, reader.problems


def test_included_files_are_read_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "main").write_text("one\ninclude /d/*\nlast")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "b").write_text("three")
    (tmp_path / "d" / "a").write_text("two")
    assert names(tmp_path, "/main") == (["one", "include", "two", "three", "last"], [])


def test_file_that_includes_itself_is_told_and_left(tmp_path: Path) -> None:
    (tmp_path / "main").write_text("one\ninclude /link\nlast")
    (tmp_path / "link").symlink_to("main")
    found, problems = names(tmp_path, "/main")
    assert found == ["one", "include", "last"]
    assert problems == ["/link: included by itself, or too deep: not followed"]


def test_chain_of_links_without_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "main").symlink_to("main")
    found, [problem] = names(tmp_path, "/main")
    assert found == []
    assert problem == f"can't read {tmp_path}/main: too many levels of symbolic links"


def test_endless_includes_come_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that include each other in every way would be followed for longer than anyone lives."""
    monkeypatch.setattr(files, "_MOST", 500)
    everything = "include /d/*\n" * 5
    (tmp_path / "d").mkdir()
    for number in range(5):
        (tmp_path / "d" / str(number)).write_text(everything)
    found, problems = names(tmp_path, "/d/0")
    assert len(found) < 5_000
    assert any("500 others were read" in problem for problem in problems)


def test_file_that_is_too_large_or_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "main").write_text("include /large\ninclude /folder\nlast")
    (tmp_path / "large").write_bytes(b"x" * (1024 * 1024 + 1))
    (tmp_path / "folder").mkdir()
    found, problems = names(tmp_path, "/main")
    assert found == ["include", "include", "last"]
    assert problems == [
        f"{tmp_path}/large is larger than 1024 KiB",
        f"{tmp_path}/folder is no regular file",
    ]


def test_path_that_can_not_be_followed_is_told_and_counts_as_absent(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    reader = Files(Root(tmp_path))
    assert not reader.exists("/loop")
    assert not reader.is_file("/absent")
    assert reader.problems == [f"can't read {tmp_path}/loop: too many levels of symbolic links"]
