"""The registrar as a process, on a Redis that knows its users: the token's, then the host's."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from contract.broker import NO_FILES, BrokerError
from contract.names import REPORTS_QUEUE, host_queue
from contract.publisher import Publisher
from contract.token import Token
from lab.command import Script
from lab.redis import EmbeddedRedis
from orchestrator.broker.access import has_own_users, withdraw_enrolments
from orchestrator.enrolment import Invitation, invite, revoke
from tests.integration.orchestrator.guarded import Guarded
from worker.admitted import Admitted
from worker.enrolment import Petition, RejectedError
from worker.host_keys import HostKeys

_PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, keeper: EmbeddedRedis) -> Iterator[Guarded]:
    """A home with a registrar at work."""
    folder = tmp_path_factory.mktemp("registrar")
    with Guarded.build(folder / "home", keeper) as made:
        denrei = Script("denrei", {"DENREI_HOME": str(made.home.path)})
        service = denrei.start(folder / "registrar.log", "server", "--only", "registrar")
        yield made
        service.stop()


def make_token(guarded: Guarded, host: str) -> Token:
    life = timedelta(minutes=5)
    return invite(guarded.home, guarded.store, Invitation(host, None, life, hold=False))


def ask(token: Token, folder: Path) -> Admitted:
    folder.mkdir(exist_ok=True)
    keys = HostKeys.at(folder / "sign.pem", folder / "seal.pem")
    with Petition(token, keys, NO_FILES) as petition:
        return petition.ask(_PATIENCE_S, lambda: None)


def test_host_comes_in_with_the_token_s_user_and_goes_on_with_its_own(
    guarded: Guarded, tmp_path: Path
) -> None:
    token = make_token(guarded, "new1")
    assert f"enrol.{token.id}" in token.broker
    found = ask(token, tmp_path)
    assert "host.new1" in found.broker
    own = Publisher(found.broker)
    own.publish(REPORTS_QUEUE, "denrei.record", b"x")
    assert own.waiting(host_queue("new1")) == 0
    with pytest.raises(BrokerError):
        own.waiting(host_queue("web1"))
    own.close()
    assert guarded.apply() == []


def test_many_hosts_at_once_each_come_in_as_themselves(guarded: Guarded, tmp_path: Path) -> None:
    """What a script does with a thousand: nobody gets another's name, key or password."""
    tokens = [make_token(guarded, f"many{number}") for number in range(30)]
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda token: ask(token, tmp_path / token.host), tokens))
    for token, each in zip(tokens, found, strict=True):
        assert each.membership.host == token.host
        assert f"host.{token.host}:" in each.broker
    assert len({each.membership.admission.sign for each in found}) == 30
    assert guarded.apply() == []


def test_host_that_asks_again_keeps_its_password(guarded: Guarded, tmp_path: Path) -> None:
    """A repeated request must not end the access that the first answer brought."""
    token = make_token(guarded, "new2")
    first, again = ask(token, tmp_path), ask(token, tmp_path)
    assert first.broker == again.broker
    own = Publisher(first.broker)
    assert own.waiting(host_queue("new2")) == 0
    own.close()


def test_token_used_by_another_host_is_refused_over_the_wire(
    guarded: Guarded, tmp_path: Path
) -> None:
    token = make_token(guarded, "new3")
    ask(token, tmp_path / "first")
    with pytest.raises(RejectedError, match="another host used this token"):
        ask(token, tmp_path / "second")


def test_token_s_user_ends_with_the_token(guarded: Guarded) -> None:
    token = make_token(guarded, "new4")
    user = f"enrol.{token.id}"
    withdraw_enrolments(guarded.home, guarded.store, token.expires_at - 1)
    assert user in guarded.store.broker_users.all()
    with redis.Redis.from_url(token.broker) as holder:
        holder.ping()
        withdraw_enrolments(guarded.home, guarded.store, token.expires_at)
        with pytest.raises(redis.AuthenticationError):
            holder.ping()
    assert user not in guarded.store.broker_users.all()


def test_revoked_host_is_thrown_out_of_the_broker(guarded: Guarded, tmp_path: Path) -> None:
    found = ask(make_token(guarded, "new5"), tmp_path)
    with redis.Redis.from_url(found.broker) as host:
        host.ping()
        revoke(guarded.home, guarded.store, "new5")
        with pytest.raises(redis.AuthenticationError):
            host.ping()


def test_broker_kept_by_somebody_else_gets_its_users_by_the_printed_rules(
    guarded: Guarded,
) -> None:
    """Without broker_admin nothing is changed on the server; the digests are there to print."""
    home = replace(guarded.home, broker_admin="")
    assert has_own_users(home)
    life = timedelta(minutes=5)
    token = invite(home, guarded.store, Invitation("new6", None, life, hold=False))
    assert f"enrol.{token.id}" in guarded.store.broker_users.all()
    with redis.Redis.from_url(token.broker) as holder, pytest.raises(redis.AuthenticationError):
        holder.ping()
    assert ("make", f"enrol.{token.id}") in guarded.apply()


def test_broker_without_users_of_ours_is_the_same_for_all(guarded: Guarded) -> None:
    plain = "redis://:shared@broker:6379/0"
    home = replace(guarded.home, broker=plain, broker_admin="")
    life = timedelta(minutes=5)
    token = invite(home, guarded.store, Invitation("new7", None, life, hold=False))
    assert token.broker == plain
    elsewhere = replace(home, host_broker="redis://outside:6379/0")
    token = invite(elsewhere, guarded.store, Invitation("new7", None, life, hold=False))
    assert token.broker == "redis://outside:6379/0"
