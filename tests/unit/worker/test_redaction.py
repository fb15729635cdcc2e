"""Redaction: no secret leaves the host in any form that a tool is likely to print."""

import base64
import json
import shlex
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.redaction import MASK, Redactor

SECRET = 'p/w "K&y" ü+=$'
FORMS = {
    "plain": SECRET,
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "base64 with a line break": base64.b64encode(SECRET.encode() + b"\n").decode(),
    "base64 behind a name": base64.b64encode(b"user:" + SECRET.encode()).decode(),
    "base64 behind another": base64.b64encode(b"root:" + SECRET.encode() + b"\n").decode(),
    "base64 behind one letter": base64.b64encode(b"x" + SECRET.encode()).decode(),
    "hexadecimal": SECRET.encode().hex(),
    "capital hexadecimal": SECRET.encode().hex().upper(),
    "a URL": quote(SECRET, safe=""),
    "a path of a URL": quote(SECRET),
    "a form": quote_plus(SECRET),
    "JSON": json.dumps({"key": SECRET}),
    "JSON with its own letters": json.dumps({"key": SECRET}, ensure_ascii=False),
    "Python": repr({"key": SECRET}),
    "HTML": escape(SECRET),
    "a shell's word": shlex.quote(SECRET),
}


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
forms = st.sampled_from(["plain", "base64", "hex", "url"])


def shown(secret: str, form: str) -> str:
    """A secret as a tool might print it."""
    match form:
        case "base64":
            return base64.b64encode(secret.encode()).decode()
        case "hex":
            return secret.encode().hex()
        case "url":
            return quote(secret, safe="")
    return secret


@given(secrets, st.text(max_size=20), st.text(max_size=20), forms)
def test_any_secret_in_any_surroundings_is_taken_out(
    secret: str, before: str, behind: str, form: str
) -> None:
    """Whatever the secret, neither it nor its base64, hexadecimal or URL form stays."""
    text = shown(secret, form)
    assert text in MASK or text not in Redactor([secret]).text(f"{before}{text}{behind}")


@given(st.text(alphabet="abc ", max_size=60))
def test_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert Redactor(["geheim"]).text(text) == text
    assert Redactor([]).text(text) == text
