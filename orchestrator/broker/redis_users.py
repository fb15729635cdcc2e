"""The users of a running Redis, read and changed over its administrator's connection."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import redis
from kombu.utils.url import sanitize_url

from contract.broker import BrokerError, connection_url
from contract.broker_alert import why
from orchestrator.broker.acl import AclUser, acl_user
from orchestrator.broker.user import BrokerUser
from orchestrator.broker.users import Fit, Users

_PATIENCE_S = 8.0
_NO_ACL_FILE = "not configured to use an ACL file"
_ACL_FILE_UNWRITABLE = "error trying to save the ACLs"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Found:
    """A user as the server has it. Rules are sets: their order in a listing means nothing."""

    on: bool
    digests: frozenset[str]
    rules: frozenset[str]
    selectors: frozenset[frozenset[str]]

    @property
    def is_open(self) -> bool:
        """Tell whether anybody may come in as this user without a password."""
        return self.on and not self.digests

    def fits(self, user: AclUser) -> bool:
        """Tell whether the server's user is just what it should be."""
        plain, selectors = _parts(user)
        return self == Found(
            on=True, digests=frozenset({user.digest}), rules=plain, selectors=selectors
        )


class RedisUsers(Users):
    """Looks at and changes the users of one Redis server."""

    def __init__(self, url: str) -> None:
        """Connect lazily, as the user in the URL."""
        self._url = connection_url(url)
        self._client: redis.Redis = redis.Redis.from_url(
            self._url,
            decode_responses=True,
            socket_timeout=_PATIENCE_S,
            socket_connect_timeout=_PATIENCE_S,
        )

    def version(self) -> tuple[int, ...]:
        """Return the server's version. Raises BrokerError."""
        told: Any = self._ask(lambda client: client.info("server"))
        return tuple(int(part) for part in str(told["redis_version"]).split(".")[:3])

    def setting(self, name: str) -> str:
        """Return one setting of the server. Raises BrokerError."""
        told: Any = self._ask(lambda client: client.config_get(name))
        return str(told.get(name, ""))

    def names(self) -> list[str]:
        """Return the names of all users. Raises BrokerError."""
        told: Any = self._ask(lambda client: client.acl_users())
        return sorted(told)

    def find(self, name: str) -> Found | None:
        """Return a user, or None. Raises BrokerError."""
        told: Any = self._ask(lambda client: client.execute_command("ACL", "GETUSER", name))
        return _found(told) if told else None

    def fit(self, user: BrokerUser) -> Fit:
        """Compare a user with what the server has under its name. Raises BrokerError."""
        found = self.find(user.name)
        if found is None:
            return Fit.MISSING
        wanted = acl_user(user).fit_for(self.version())
        return Fit.AS_WANTED if found.fits(wanted) else Fit.OTHER

    def put(self, user: BrokerUser) -> None:
        """Make a user with the rules that its name calls for. Raises BrokerError."""
        self.set(acl_user(user))

    def set(self, user: AclUser) -> None:
        """Make a user, or make it anew; whoever was in as this user is thrown out.

        Raises BrokerError.
        """
        fit = user.fit_for(self.version())
        self._ask(lambda client: client.execute_command("ACL", "SETUSER", fit.name, *fit.words))
        self._ask(lambda client: client.execute_command("CLIENT", "KILL", "USER", fit.name))

    def delete(self, name: str) -> None:
        """Revoke a user; the server closes its connections. Raises BrokerError."""
        self._ask(lambda client: client.acl_deluser(name))

    def save(self) -> bool:
        """Have the server keep its users over a restart; False if it can't.

        Raises BrokerError.
        """
        try:
            self._ask(lambda client: client.acl_save())
        except BrokerError as error:
            if _ACL_FILE_UNWRITABLE in str(error):
                return False
            if _NO_ACL_FILE not in str(error):
                raise
        else:
            return True
        with contextlib.suppress(BrokerError):
            self._ask(lambda client: client.config_rewrite())
            return True
        return False

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def _ask(self, question: Callable[[Any], _T]) -> _T:
        try:
            return question(self._client)
        except (redis.RedisError, OSError) as error:
            shown = sanitize_url(self._url.partition("?")[0])
            raise BrokerError(f"broker_admin {shown}: {why(error, self._url)}") from None


def _found(told: Mapping[str, Any]) -> Found:
    return Found(
        on="on" in told["flags"],
        digests=frozenset(told["passwords"]),
        rules=_words(told),
        selectors=frozenset(_words(selector) for selector in told["selectors"]),
    )


def _words(told: Mapping[str, str]) -> frozenset[str]:
    return frozenset(f"{told['commands']} {told['keys']} {told['channels']}".split())


def _parts(user: AclUser) -> tuple[frozenset[str], frozenset[frozenset[str]]]:
    words = [word for word in user.words[4:] if not word.startswith("(")]
    selectors = [word.strip("()").split() for word in user.words if word.startswith("(")]
    return frozenset({"-@all", *words}), frozenset(map(frozenset, selectors))
