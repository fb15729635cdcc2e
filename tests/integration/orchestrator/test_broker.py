"""The broker's users on a real Redis: made, changed, revoked, and kept to their own business."""

from pathlib import Path

import pytest
import redis

from contract.broker import BrokerError
from contract.names import ENROLMENTS_QUEUE, REPORTS_QUEUE, enrolment_queue, host_queue
from lab.redis import EmbeddedRedis
from orchestrator.broker.acl import AclUser, acl_file, acl_user, admin_user, digest_of
from orchestrator.broker.admin import Admin, AdminError, known_users
from orchestrator.broker.finding import Finding
from orchestrator.broker.password import url_for
from orchestrator.broker.plan import Verb
from orchestrator.broker.redis_check import inspect
from orchestrator.broker.redis_users import RedisUsers
from orchestrator.broker.user import ADMIN
from orchestrator.home import Home
from tests.integration.orchestrator.guarded import Guarded


def test_apply_makes_changes_and_revokes_until_nothing_is_left_to_do(guarded: Guarded) -> None:
    """Users follow the inventory; a second apply finds nothing to change."""
    assert guarded.apply() == []
    with RedisUsers(guarded.server.url) as users:
        users.set(AclUser("host.web1", digest_of("x"), "~* +@all"))
        users.set(AclUser("host.stray", digest_of("x"), "~* +@all"))
        users.set(AclUser("grafana", digest_of("x"), "+info"))
        users.delete("host.web2")
    told = [
        (Verb.CHANGE, "host.web1"),
        (Verb.MAKE, "host.web2"),
        (Verb.REVOKE, "host.stray"),
    ]
    assert guarded.apply() == told
    assert guarded.apply() == []
    with RedisUsers(guarded.server.url) as users:
        assert users.find("grafana")
        users.delete("grafana")


def test_users_lost_by_the_broker_come_back_with_their_passwords(guarded: Guarded) -> None:
    """Denrei knows no password, and yet no host needs a new one."""
    with RedisUsers(guarded.server.url) as users:
        for name in ("host.web1", "host.web2", "server"):
            users.delete(name)
    guarded.apply()
    wire = guarded.publisher("host.web1", "secret of web1")
    assert wire.waiting(host_queue("web1")) == 0
    wire.close()
    kept = (guarded.home.path / "store.db").read_bytes()
    assert b"secret of web1" not in kept


def test_users_outlive_a_restart_of_the_broker(guarded: Guarded) -> None:
    """What apply made stands in the ACL file, without a password in the clear."""
    guarded.server.restart()
    assert guarded.apply() == []


def test_host_gone_from_the_inventory_is_thrown_out_at_once(guarded: Guarded) -> None:
    """Its user is revoked, and the connection that it has open is closed."""
    with guarded.speaker("host.web2", "secret of web2") as old:
        old.ping()
        guarded.store.hosts.remove("web2", 1)
        assert guarded.apply() == [(Verb.REVOKE, "host.web2")]
        with pytest.raises(redis.AuthenticationError):
            old.ping()


def test_new_password_of_a_host_ends_the_old_one_s_connections(guarded: Guarded) -> None:
    with guarded.speaker("host.web1", "secret of web1") as old:
        old.ping()
        with guarded.admin() as admin:
            admin.set_host("web1", "newer secret")
        with pytest.raises(redis.AuthenticationError):
            old.ping()
    wire = guarded.publisher("host.web1", "newer secret")
    assert wire.waiting(host_queue("web1")) == 0
    wire.close()


def test_enrolment_s_user_asks_and_takes_its_own_answer_only(guarded: Guarded) -> None:
    """The holder of a token reaches neither another's answer nor any host's queue."""
    with guarded.admin() as admin:
        admin.set_enrolment("one", "secret of one")
        assert guarded.apply() == []
    with guarded.speaker("enrol.one", "secret of one") as holder:
        holder.lpush(ENROLMENTS_QUEUE, "request")
        with guarded.speaker("server", "secret of the server") as server:
            assert server.brpop([ENROLMENTS_QUEUE], 1) == (ENROLMENTS_QUEUE, "request")
            server.lpush(enrolment_queue("one"), "answer")
        assert holder.brpop([enrolment_queue("one")], 1) == (enrolment_queue("one"), "answer")
        for name in (enrolment_queue("two"), ENROLMENTS_QUEUE, REPORTS_QUEUE, host_queue("web1")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                holder.brpop([name], 1)
        with guarded.admin() as admin:
            admin.remove("enrol.one")
        with pytest.raises(redis.AuthenticationError):
            holder.ping()
    assert "enrol.one" not in guarded.store.broker_users.all()


@pytest.mark.parametrize("name", ["a b", "a ~*", "", "x" * 65, "a)", "é"])
def test_enrolment_s_id_that_would_be_a_rule_is_refused(guarded: Guarded, name: str) -> None:
    with guarded.admin() as admin, pytest.raises(AdminError, match="id"):
        admin.set_enrolment(name, "x")


def test_check_names_each_thing_that_is_not_as_it_should_be(
    guarded: Guarded, clean_redis: EmbeddedRedis
) -> None:
    """A guarded Redis lacks a memory limit only; one for development lacks more, each is named."""
    with RedisUsers(guarded.server.url) as users:
        found = {finding.subject: finding for finding in inspect(users, guarded.home)}
    assert [name for name, finding in found.items() if finding.remedy] == ["maxmemory"]
    with RedisUsers(clean_redis.url) as users:
        found = {finding.subject: finding for finding in inspect(users, guarded.home)}
    assert [name for name, finding in found.items() if finding.remedy] == [
        "maxmemory",
        "aclfile",
        "default user",
    ]
    assert found["default user"] == Finding(
        "default user",
        "on, without a password",
        "whoever knows no name comes in: ACL SETUSER default off",
    )


def test_acl_for_an_older_redis_lacks_what_it_would_not_start_with(guarded: Guarded) -> None:
    users = known_users(guarded.home, guarded.store)
    assert [user.name for user in users] == ["host.web1", "host.web2", "server"]
    assert "client|setinfo" in acl_file(map(acl_user, users))
    assert "client|setinfo" not in acl_file(acl_user(user).fit_for((7, 0)) for user in users)


def test_home_without_an_administrator_can_t_manage_users(guarded: Guarded) -> None:
    home = Home(guarded.home.path, guarded.home.broker, guarded.home.store_url, "alice")
    with pytest.raises(AdminError, match="no broker_admin"):
        Admin(home, guarded.store)


def test_administrator_with_a_wrong_password_is_told_so(guarded: Guarded) -> None:
    with (
        RedisUsers(url_for(guarded.server.url, ADMIN, "wrong")) as users,
        pytest.raises(BrokerError, match=r"broker_admin redis://admin:\*\*@.*invalid username"),
    ):
        users.names()


def test_server_that_can_t_write_its_acl_file_is_told_of(tmp_path: Path) -> None:
    """The user works at once all the same; only a restart would lose it."""
    folder = tmp_path / "acl"
    folder.mkdir()
    path = folder / "users.acl"
    path.write_text(acl_file([admin_user(digest_of("x"))]))
    with (
        EmbeddedRedis(username=ADMIN, password="x", acl_file=path) as server,
        RedisUsers(server.url) as users,
    ):
        assert users.save()
        path.unlink()
        folder.rmdir()
        users.set(AclUser("host.web1", digest_of("y"), "+ping"))
        assert not users.save()


def test_server_without_acl_file_keeps_users_in_its_own_configuration() -> None:
    with EmbeddedRedis(password="x") as server, RedisUsers(server.url) as users:
        users.set(AclUser("host.web1", digest_of("y"), "+ping"))
        assert users.save()
        assert "user host.web1 on" in (server.directory / "redis.conf").read_text()
