"""Profiles: named sets of values that fill in a runbook's parameters."""

import pytest

from contract.parameter import ParameterError, bind
from tests.unit.contract.runbook_text import STEP, complaints, load

HEAD = """\
name: x
params:
  port: {type: integer, default: 443}
  reload: {type: command}
  word: {pattern: "[a-z]+", default: ""}
  key: {secret: true, default: ""}
profiles:
"""
NGINX = "  nginx: {reload: /bin/nginx -s reload}\n"
MAIL = "  mail: {port: 25, reload: /bin/mail reload, word: smtp}\n"
RUNBOOK = load(HEAD + NGINX + MAIL + STEP)


def bound(**given: object) -> dict[str, object]:
    values = bind(RUNBOOK.parameters, given, RUNBOOK.profiles)
    return {name: value for name, value in values.items() if name != "key"}


def test_profile_fills_in_what_is_not_given() -> None:
    mail = {"port": 25, "reload": "/bin/mail reload", "word": "smtp", "profile": "mail"}
    assert bound(profile="mail") == mail
    assert bound(profile="mail", port=2525, word="") == mail | {"port": 2525, "word": ""}
    assert bound(profile="nginx")["port"] == 443


def test_order_with_all_values_means_the_same_on_the_host() -> None:
    """What a submission has filled in travels; filling it in again changes nothing."""
    for given in ({"profile": "mail"}, {"profile": "mail", "word": ""}, {"reload": "/bin/x"}):
        assert bound(**bound(**given)) == bound(**given)


def test_runbook_may_be_used_without_its_profiles() -> None:
    assert bound(reload="/bin/x")["profile"] == ""


def test_missing_parameter_names_the_profiles_that_have_it() -> None:
    with pytest.raises(ParameterError) as told:
        bound()
    assert str(told.value) == (
        "parameter reload is missing; give it with -p reload=VALUE, "
        "or choose a profile that has it: nginx, mail"
    )


def test_unknown_profile_is_refused() -> None:
    with pytest.raises(ParameterError, match="parameter profile: 'ngin' is none of: nginx, mail"):
        bound(profile="ngin", reload="/bin/x")


def test_expressions_and_templates_see_the_profile() -> None:
    assert complaints(HEAD + NGINX + STEP.replace("run.check", 'params.profile == "nginx"')) == []
    assert complaints("lock: 'service:${params.profile}'\n" + HEAD + NGINX + STEP) == []


@pytest.mark.parametrize(
    ("profile", "complaint"),
    [
        ("{prt: 1}", "8:7: there is no parameter 'prt'; did you mean 'port'?"),
        ("{port: many}", "8:13: profile a: parameter port: 'many' is not an integer"),
        ("{word: UP}", "8:13: profile a: parameter word: 'UP' does not match its pattern [a-z]+"),
        ("{reload: nginx}", "8:15: profile a: parameter reload: 'nginx' is no command"),
        ("{key: hunter22}", "8:12: profile a: parameter key is secret; a profile can't hold it"),
        ("{word: [x]}", "8:13: profile a: parameter word: ['x'] is not a string"),
        ("{profile: b}", "8:7: there is no parameter 'profile'"),
        ("{}", "8:6: profile a must be a mapping of parameters to values"),
        ("x", "8:6: profile a must be a mapping of parameters to values"),
    ],
)
def test_bad_profile_is_told_at_its_place(profile: str, complaint: str) -> None:
    (told,) = complaints(f"{HEAD}  a: {profile}\n{STEP}")
    assert told.startswith(complaint)


def test_profiles_want_their_parameter_for_themselves() -> None:
    text = HEAD.replace("  word:", "  profile: {default: ''}\n  word:")
    (told,) = complaints(text + NGINX + STEP)
    assert told.startswith("9:3: 'profile' chooses one of these")


@pytest.mark.parametrize("profiles", ["{}", "[nginx]", "{Nginx: {port: 1}}"])
def test_profiles_that_are_none_are_told(profiles: str) -> None:
    head = HEAD.replace("profiles:\n", f"profiles: {profiles}\n")
    (told,) = complaints(head + STEP)
    assert told.startswith("7:")
