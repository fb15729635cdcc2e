"""The users of a broker, of whatever kind: what Denrei asks of it, and has it do."""

from abc import abstractmethod
from enum import Enum, auto

from contract.closing import Closing
from orchestrator.broker.user import BrokerUser


class Fit(Enum):
    """Whether the broker has a user as it should be."""

    MISSING = auto()
    OTHER = auto()
    AS_WANTED = auto()


class Users(Closing):
    """Looks at and changes the users of one broker. Every method raises BrokerError."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of all users."""

    @abstractmethod
    def fit(self, user: BrokerUser) -> Fit:
        """Compare a user with what the broker has under its name."""

    @abstractmethod
    def put(self, user: BrokerUser) -> None:
        """Make a user, or make it anew; whoever was in as this user is thrown out."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Revoke a user; its connections are closed. Nothing happens if it is gone."""

    @abstractmethod
    def save(self) -> bool:
        """Have the broker keep its users over a restart; False if it can't."""
