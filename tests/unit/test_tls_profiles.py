"""The profiles of `tls/check` and `tls/reload`: whole, alike, and Debian's own."""

from importlib import resources

import pytest

from contract.loader import load_runbook
from contract.parameter import ParameterError, bind
from contract.program import words_of
from contract.reach import reach
from contract.touch import Access

FILES = resources.files("runbooks").joinpath("tls")
CHECK, RELOAD = (
    load_runbook(FILES.joinpath(f"{name}.yaml").read_bytes(), name) for name in ("check", "reload")
)
PAIR = {"certificate": "/etc/ssl/site.pem", "key": "/etc/ssl/site.key"}


def test_both_runbooks_have_the_same_profiles() -> None:
    assert list(CHECK.profiles) == list(RELOAD.profiles)
    assert list(RELOAD.profiles) == [
        *("nginx", "apache", "haproxy", "postgresql", "postfix", "dovecot")
    ]


@pytest.mark.parametrize("profile", RELOAD.profiles)
def test_profile_says_all_but_the_pair_and_the_same_in_both(profile: str) -> None:
    given = {"profile": profile, **PAIR}
    reload = bind(RELOAD.parameters, given, RELOAD.profiles)
    check = bind(CHECK.parameters, given, CHECK.profiles)
    shared = reload.keys() & check.keys()
    assert {name: reload[name] for name in shared} == {name: check[name] for name in shared}
    preset = [RELOAD.profiles[profile], CHECK.profiles[profile]]
    assert preset[0].get("certificate") == preset[1].get("certificate")


@pytest.mark.parametrize("profile", RELOAD.profiles)
def test_policy_of_a_host_needs_systemctl_and_the_test_of_the_configuration(profile: str) -> None:
    bound = bind(RELOAD.parameters, {"profile": profile, **PAIR}, RELOAD.profiles)
    test = words_of(bound["config_test"])[:1]
    touches = reach(RELOAD, RELOAD.texts(bound)).touches
    started = {touch.what for touch in touches if touch.access is Access.EXECUTE}
    assert started == {"/usr/bin/systemctl", *test}


def test_profile_that_can_not_know_the_pair_asks_for_it() -> None:
    with pytest.raises(ParameterError, match="parameter certificate is missing"):
        bind(RELOAD.parameters, {"profile": "nginx"}, RELOAD.profiles)
    assert bind(RELOAD.parameters, {"profile": "dovecot"}, RELOAD.profiles)


@pytest.mark.parametrize("path", ["etc/x", "/", "/etc/../x", "/etc/.", "/etc//x", "/etc/x/", ""])
def test_path_of_a_certificate_is_a_plain_one(path: str) -> None:
    """The pair to go back to is kept under this very path: it must lead nowhere else."""
    for name in PAIR:
        with pytest.raises(ParameterError, match=f"parameter {name}"):
            bind(RELOAD.parameters, {"profile": "nginx", **PAIR, name: path}, RELOAD.profiles)
