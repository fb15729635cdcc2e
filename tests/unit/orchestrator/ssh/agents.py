"""A socket where ssh-agent would be, that answers whatever a test wants."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from contract.key import SigningKey
from orchestrator.ssh.blob import Blob, number, string
from orchestrator.ssh.public_key import KIND, blob_of

FAILURE = bytes([5])
IDENTITIES, SIGNED = bytes([12]), bytes([14])
SIGN_REQUEST = 13

Answer = Callable[[bytes], bytes]  # a request's body to all bytes that come back


@contextmanager
def answering(path: Path, answer: Answer) -> Iterator[None]:
    """Answer every request on a socket until the block ends; then hang up on everybody."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=_serve, args=(listener, answer), daemon=True)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def framed(body: bytes) -> bytes:
    return string(body)


def signature(raw: bytes, kind: bytes = KIND.encode()) -> bytes:
    """Return the answer to a request for a signature."""
    return SIGNED + string(string(kind) + string(raw))


def identities(*keys: bytes) -> bytes:
    """Return the answer to the question which keys there are."""
    return IDENTITIES + number(len(keys)) + b"".join(string(key) + string(b"anna") for key in keys)


def signing(key: SigningKey) -> Answer:
    """Answer as an agent that has this key would."""

    def answer(request: bytes) -> bytes:
        if request[0] != SIGN_REQUEST:
            return framed(identities(blob_of(key.public)))
        blob = Blob(request[1:])
        assert blob.string() == blob_of(key.public)
        return framed(signature(key.sign(blob.string())))

    return answer


def _serve(listener: socket.socket, answer: Answer) -> None:
    with suppress(OSError):  # the listener's end
        while True:
            connection, _ = listener.accept()
            with suppress(OSError), connection:  # whoever has heard enough hangs up
                _converse(connection, answer)


def _converse(connection: socket.socket, answer: Answer) -> None:
    with connection.makefile("rb") as file:
        while head := file.read(4):
            answered = answer(file.read(int.from_bytes(head, "big")))
            connection.sendall(answered)
            if not answered:
                return
