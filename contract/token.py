"""The token of an enrolment: one line that a person carries to the new host.

It says where to ask, as whom, and which roots to believe; its secret proves both sides to each
other and never travels. It is a credential: whoever has it first is the host, until it expires.
"""

import base64
import binascii
import hmac
from typing import Annotated

import msgspec

from contract.broker import BrokerUrlError, check_broker_url
from contract.error import DenreiError
from contract.keyring import Version
from contract.names import HostNameError, check_host_name
from contract.order import Digest, Instant, MessageError, Name, Nonce, decode, encode

PREFIX = "denrei1."
MAX_TOKEN = 4096  # characters

_Secret = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class TokenError(DenreiError):
    """A token is damaged, or none at all."""


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One host's way into the fleet, once."""

    host: Name
    epoch: Version
    id: Nonce
    secret: _Secret
    expires_at: Instant
    broker: _Url  # where to ask; the host's own URL comes with the answer
    roots: Digest  # by which the fleet's keyring is believed

    def __repr__(self) -> str:
        """Leave the secrets out: what is shown may end in a log."""
        return f"Token({self.host!r}, epoch={self.epoch}, id={self.id!r})"

    @classmethod
    def parse(cls, text: str) -> "Token":
        """Read the one line. Raises TokenError, which never repeats what it was given."""
        line = text.strip()
        if not line.startswith(PREFIX):
            raise TokenError(f"this is no token of `denrei host enrol`: those begin with {PREFIX}")
        try:
            token = decode(_decode(line.removeprefix(PREFIX)), cls)
            check_host_name(token.host)
            check_broker_url(token.broker)
        except (MessageError, HostNameError, BrokerUrlError, ValueError):
            raise TokenError("the token is damaged; was it copied whole?") from None
        if token.spell() != line:
            raise TokenError("the token is damaged; it is not spelt as it was printed")
        return token

    def spell(self) -> str:
        """Return the token as one line."""
        return PREFIX + base64.urlsafe_b64encode(encode(self)).decode().rstrip("=")

    def shared_key(self) -> str:
        """Return what the orchestrator keeps in place of the secret: bound to this enrolment.

        In hexadecimal digits. The secret does not follow from it.
        """
        return shared_key(self.secret, self.id, self.host, self.epoch)


def shared_key(secret: str, id_: str, host: str, epoch: int) -> str:
    """Return what a secret becomes for one enrolment, in hexadecimal digits."""
    bound = f"denrei/v1/enrol\n{id_}\n{host}\n{epoch}"
    return hmac.digest(bytes.fromhex(secret), bound.encode(), "sha256").hex()


def _decode(text: str) -> bytes:
    if len(text) > MAX_TOKEN:
        raise ValueError
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError from None
