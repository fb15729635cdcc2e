"""Redaction: no secret leaves the host in any form that a tool is likely to print."""

import base64
import json
import random
import shlex
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.disguise import disguises
from worker.redaction import MASK, Redactor

SECRET = 'p/w "K&y" ü+=$\''
TELLERS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "base64 with a line break": lambda s: base64.b64encode(s.encode() + b"\n").decode(),
    "base64 behind a name": lambda s: base64.b64encode(b"user:" + s.encode()).decode(),
    "base64 behind another": lambda s: base64.b64encode(b"root:" + s.encode() + b"\n").decode(),
    "base64 behind one letter": lambda s: base64.b64encode(b"x" + s.encode()).decode(),
    "base64 in a URL": lambda s: quote(base64.b64encode(s.encode()).decode(), safe=""),
    "hexadecimal": lambda s: s.encode().hex(),
    "capital hexadecimal": lambda s: s.encode().hex().upper(),
    "hexadecimal with colons": lambda s: s.encode().hex(":"),
    "hexadecimal with spaces": lambda s: s.encode().hex(" ").upper(),
    "a URL": lambda s: quote(s, safe=""),
    "a path of a URL": quote,
    "a form": quote_plus,
    "a URL of JavaScript": lambda s: quote(s, safe="!'()*~"),
    "a URL with every letter escaped": lambda s: "".join(f"%{b:02x}" for b in s.encode()),
    "JSON": lambda s: json.dumps({"key": s}),
    "JSON with its own letters": lambda s: json.dumps({"key": s}, ensure_ascii=False),
    "JSON with escaped slashes": lambda s: json.dumps(s).replace("/", "\\/"),
    "JSON fit for a page": lambda s: json.dumps(s).replace("&", "\\u0026").replace("<", "\\u003c"),
    "JSON by PHP": lambda s: json.dumps(s).replace("<", "\\u003C").replace(">", "\\u003E"),
    "Python": lambda s: repr({"key": s}),
    "Python with both quotes": lambda s: repr(s + "'\""),
    "Python's bytes": lambda s: repr(s.encode()),
    "HTML": escape,
    "XML": lambda s: escape(s, quote=False),
    "a shell's word": shlex.quote,
    "a shell's longer word": lambda s: shlex.quote(f"--password={s} and more"),
    "a shell's trace": lambda s: "'" + s.replace("'", "'\\''") + "'",
    "SQL": lambda s: "'" + s.replace("'", "''") + "'",
}
FORMS = {form: teller(SECRET) for form, teller in TELLERS.items()}


@pytest.mark.parametrize("form", FORMS)
def test_secret_in_a_common_form_is_taken_out(form: str) -> None:
    found = Redactor([SECRET]).text(f"before {FORMS[form]} behind")
    assert MASK in found
    assert FORMS[form] not in found
    assert found.startswith("before ")
    assert found.endswith(" behind")


def test_secret_in_a_url_with_small_hexadecimal_is_taken_out() -> None:
    assert Redactor(["geheim/ü"]).text("x=geheim%2f%c3%bc&y") == f"x={MASK}&y"


def test_secret_within_words_and_many_times_is_taken_out() -> None:
    assert Redactor(["geheim"]).text("ageheimb geheimgeheim") == f"a{MASK}b {MASK}{MASK}"


def test_secret_inside_another_leaves_nothing_of_the_longer_one() -> None:
    assert Redactor(["geheim", "geheimnis1"]).text("geheimnis1 geheim") == f"{MASK} {MASK}"


def test_secret_of_several_lines_is_taken_out_line_by_line() -> None:
    """A tool that indents, numbers or greps a key prints single lines of it."""
    secret = "-----BEGIN KEY-----\nMC4CAQAwBQYDK2Vw\n-----END KEY-----\n"
    found = Redactor([secret]).text("1: MC4CAQAwBQYDK2Vw\r\n2: -----END KEY-----")
    assert found == f"1: {MASK}\r\n2: {MASK}"


def test_secret_with_a_line_break_behind_is_taken_out_without_it() -> None:
    assert Redactor(["geheim\n"]).text("key is geheim.") == f"key is {MASK}."


def test_secret_that_was_not_given_changes_nothing() -> None:
    """The empty text stands between all characters; it is no secret."""
    redactor = Redactor([""])
    assert redactor.text("plain '' text") == "plain '' text"
    assert not redactor.has_secrets
    assert Redactor(["geheim"]).has_secrets


def test_secret_in_a_tree_is_taken_out_of_every_text() -> None:
    tree = {"a": ["geheim", {"b": "x geheim"}], "n": 5, "t": True, "z": None}
    found = Redactor(["geheim"]).tree(tree)
    assert found == {"a": [MASK, {"b": f"x {MASK}"}], "n": 5, "t": True, "z": None}


secrets = st.text(min_size=6, max_size=40).filter(lambda text: len(text.strip()) >= 6)
forms = st.sampled_from(sorted(TELLERS))


@given(secrets, st.text(max_size=20), st.text(max_size=20), forms)
def test_any_secret_in_any_surroundings_is_taken_out(
    secret: str, before: str, behind: str, form: str
) -> None:
    """Whatever the secret and however it is told, the telling does not stay."""
    text = TELLERS[form](secret)
    assert text in MASK or text not in Redactor([secret]).text(f"{before}{text}{behind}")


@given(secrets, st.lists(forms, max_size=4), st.text(max_size=20), st.data())
def test_secret_in_a_stream_is_taken_out_wherever_the_pieces_end(
    secret: str, told: list[str], between: str, data: st.DataObject
) -> None:
    """Random pieces give what the whole gives, and no form of the secret is left in any part."""
    whole = between.join(["", *(TELLERS[form](secret) for form in told), ""]).encode()
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=12).map(sorted))
    redactor = Redactor([secret])
    stream = redactor.stream()
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    masked = b"".join(map(stream.add, pieces)) + stream.end()
    at_once = redactor.stream()
    assert masked == at_once.add(whole) + at_once.end()
    assert not any(
        form in part for part in masked.split(MASK.encode()) for form in disguises(secret)
    )


def test_pieces_of_any_size_of_a_long_stream_give_the_same() -> None:
    """However streams are cut that hold forms of a secret, and some that overlap, none stays."""
    chance = random.Random(4711)
    redactor = Redactor([SECRET, "abcabcabc"])
    told = [TELLERS[form](SECRET) for form in sorted(TELLERS)] + ["abcabcabcabcabc"]
    for _ in range(2000):
        whole = " ".join(chance.sample(told, 5)).encode()
        stream, at, masked = redactor.stream(), 0, b""
        while at < len(whole):
            size = chance.choice((1, 2, 3, 7, 20, 100, 1000))
            masked += stream.add(whole[at : at + size])
            at += size
        masked += stream.end()
        assert not any(form in masked for form in disguises(SECRET) | {b"abc"})


@pytest.mark.parametrize("length", range(6, len(SECRET)))
def test_piece_of_a_secret_at_which_an_observation_was_cut_is_masked(length: int) -> None:
    """A line of a log is cut before anybody knows what is secret in it."""
    found = Redactor([SECRET]).tree({"last": f"it is {SECRET} and {SECRET[:length]}"})
    assert found == {"last": f"it is {MASK} and {MASK}"}
    cut = base64.b64encode(SECRET.encode()).decode()[:length]
    assert Redactor([SECRET]).tree([f"{cut} {cut}"]) == [f"{cut} {MASK}"]


def test_forms_that_overlap_are_masked_together() -> None:
    """Masking one after the other would leave the end of the second."""
    assert Redactor(["abcabcabc"]).text("x abcabcabcabc y") == f"x {MASK} y"
    assert Redactor(["geheim", "imdunkel"]).text("geheimdunkel") == MASK


@pytest.mark.parametrize("width", [64, 76])
def test_long_secret_in_base64_of_several_lines_is_taken_out(width: int) -> None:
    secret = "0123456789-abcdefghijklmnopqrstuvwxyz-" * 5
    text = base64.b64encode(secret.encode()).decode()
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    assert Redactor([secret]).text("\n".join(lines)) == MASK
    numbered = "\n".join(f"{number}: {line}" for number, line in enumerate(lines))
    assert not any(line in Redactor([secret]).text(numbered) for line in lines)


def test_secret_that_is_no_utf8_any_more_is_taken_out() -> None:
    stream = Redactor(["müsli-riegel"]).stream()
    assert stream.add(b"x m\xfcsli-riegel") + stream.end() == b"x " + MASK.encode()


@given(st.text(alphabet="abc ", max_size=60))
def test_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert Redactor(["geheim"]).text(text) == text
    assert Redactor([]).text(text) == text
