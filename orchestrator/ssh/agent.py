"""ssh-agent: signs with a key that it keeps (draft-miller-ssh-agent).

With Ed25519 an agent signs just the bytes that it is given, so hosts need no rule of their own for
it. What it answers is believed only if it verifies.
"""

import os
import socket
import time

from contract.closing import Closing
from contract.key import KeyFileError, VerifyKey
from orchestrator.ssh.blob import Blob, BlobError, number, string
from orchestrator.ssh.public_key import KIND, blob_of, fingerprint

VARIABLE = "SSH_AUTH_SOCK"
PATIENCE_S = 60.0  # an agent may ask a person first (ssh-add -c)

_MAX_BYTES = 256 * 1024  # of a message either way, as OpenSSH has it
_FAILURE = 5
_REQUEST_IDENTITIES, _IDENTITIES_ANSWER = 11, 12
_SIGN_REQUEST, _SIGN_RESPONSE = 13, 14
_NO_FLAGS = 0


class AgentError(KeyFileError):
    """ssh-agent is not there, or does not sign."""


class AgentRefusalError(AgentError):
    """ssh-agent answered that it does not do what it was asked for."""


class AgentKey:
    """A key that ssh-agent keeps."""

    def __init__(self, public: VerifyKey, patience: float = PATIENCE_S) -> None:
        """Know it by its public half; the agent is asked when there is something to sign."""
        self.public = public
        self._patience = patience

    def sign(self, message: bytes) -> bytes:
        """Return the agent's signature of the message. Raises AgentError."""
        with Agent(self._patience) as agent:
            try:
                signature = agent.sign(self.public, message)
            except AgentRefusalError:
                raise AgentError(_why_refused(agent, self.public)) from None
        if not self.public.verifies(signature, message):
            raise AgentError(f"{agent.name} answered with a signature that does not verify")
        return signature


class Agent(Closing):
    """A connection to the agent of this session."""

    def __init__(self, patience: float) -> None:
        """Connect; everything together may take so many seconds. Raises AgentError."""
        path = os.environ.get(VARIABLE, "")
        if not path:
            message = f"the key is kept by ssh-agent, and {VARIABLE} does not say where one is"
            raise AgentError(f"{message}: start it, or log in with one")
        self.name = f"ssh-agent at {path}"
        self._until = time.monotonic() + patience
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(patience)
            self._socket.connect(path)
        except OSError as error:
            self.close()
            raise AgentError(f"no {self.name}: {error.strerror or error}") from None

    def sign(self, key: VerifyKey, message: bytes) -> bytes:
        """Return a signature of the message by a key. Raises AgentError, AgentRefusalError."""
        request = string(blob_of(key)) + string(message) + number(_NO_FLAGS)
        answer = self._ask(_SIGN_REQUEST, request, _SIGN_RESPONSE)
        try:
            blob = Blob(answer.string())
            answer.end()
            kind, signature = blob.string(), blob.string()
            blob.end()
        except BlobError:
            raise self._nonsense() from None
        if kind != KIND.encode():
            raise AgentError(f"{self.name} signed with another kind of key than {KIND}")
        return signature

    def keys(self) -> list[bytes]:
        """Return the keys that it shows, as SSH names them. Raises AgentError."""
        answer = self._ask(_REQUEST_IDENTITIES, b"", _IDENTITIES_ANSWER)
        try:
            pairs = [(answer.string(), answer.string()) for _ in range(answer.number())]
            answer.end()
        except BlobError:
            raise self._nonsense() from None
        return [key for key, _comment in pairs]

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _ask(self, kind: int, body: bytes, wanted: int) -> Blob:
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(string(bytes([kind]) + body))
            size = int.from_bytes(self._receive(4), "big")
            if not 1 <= size <= _MAX_BYTES:
                raise self._nonsense()
            answer = self._receive(size)
        except TimeoutError:
            raise AgentError(f"{self.name} did not answer in time") from None
        except OSError as error:
            raise AgentError(f"{self.name} hung up: {error.strerror or error}") from None
        if answer[0] == _FAILURE:
            raise AgentRefusalError(f"{self.name} refused")
        if answer[0] != wanted:
            raise self._nonsense()
        return Blob(answer[1:])

    def _receive(self, count: int) -> bytes:
        received = bytearray()
        while len(received) < count:
            self._socket.settimeout(self._left())
            if not (part := self._socket.recv(count - len(received))):
                raise AgentError(f"{self.name} hung up before its answer was whole")
            received += part
        return bytes(received)

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _nonsense(self) -> AgentError:
        return AgentError(f"{self.name} answered what is no answer to that")


def _why_refused(agent: Agent, key: VerifyKey) -> str:
    """Return why an agent did not sign, as far as it shows."""
    keys = agent.keys()
    if not keys:
        return f"{agent.name} shows no key: run ssh-add, or `ssh-add -X` if it is locked"
    if blob_of(key) not in keys:
        return f"{agent.name} does not have the key {fingerprint(key)}: run ssh-add for it"
    message = f"{agent.name} has the key {fingerprint(key)} and refused to sign with it"
    return f"{message}: was it not confirmed (ssh-add -c), or is it for certain hosts (ssh-add -h)?"
