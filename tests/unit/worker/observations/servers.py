"""Real servers for tests, each in a process of its own: probes fork, and threads don't like it."""

import os
import signal
import socket
import ssl
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.worker.observations.certificates import PrivateKey, certificate, key_pem, pem

Serve = Callable[[socket.socket], None]


@contextmanager
def serving(
    serve: Serve,
    *,
    begin: Callable[[], None] = lambda: None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[int]:
    """Serve one connection after another; give the port. The server does what it begins with."""
    with server(serve, begin=begin, host=host, port=port) as (_, taken):
        yield taken


@contextmanager
def server(
    serve: Serve,
    *,
    begin: Callable[[], None] = lambda: None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[tuple[int, int]]:
    """Serve one connection after another; give the server's pid and its port, once it has begun."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ours, theirs = os.pipe()
    with socket.create_server((host, port), family=family) as listener:
        pid = os.fork()
        if pid == 0:
            _be_server(listener, serve, begin, theirs)
        taken: int = listener.getsockname()[1]
    os.close(theirs)
    os.read(ours, 1)  # or its end: what went wrong there is on stderr
    os.close(ours)
    try:
        yield pid, taken
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _be_server(
    listener: socket.socket, serve: Serve, begin: Callable[[], None], begun: int
) -> None:
    try:
        signal.alarm(60)  # whatever becomes of the test
        begin()
        os.close(begun)
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                serve(connection)
    except BaseException:  # noqa: BLE001 - the parent's pytest must not see it
        traceback.print_exc()
    finally:
        os._exit(1)


def server_context(
    directory: Path, key: PrivateKey | None = None, not_after: datetime | None = None
) -> ssl.SSLContext:
    """Return the TLS of a server with a certificate of its own in a directory."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    own = certificate(key, not_after=not_after)
    (directory / "served.pem").write_bytes(pem(own) + key_pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # or it would not serve a weak key
    context.load_cert_chain(directory / "served.pem")
    return context


def saying(answer: bytes) -> Serve:
    """Read once, answer and hang up."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    return serve


def in_tls(context: ssl.SSLContext, serve: Serve = lambda _connection: None) -> Serve:
    """Shake hands first."""

    def shaking(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            serve(secured)

    return shaking


def after(dialogue: list[tuple[bytes, bytes]], serve: Serve) -> Serve:
    """Say and hear what a dialogue has, in plain text, before the rest."""

    def talking(connection: socket.socket) -> None:
        for say, hear in dialogue:
            connection.sendall(say)
            heard = b""
            while len(heard) < len(hear):
                if not (chunk := connection.recv(len(hear) - len(heard))):
                    return
                heard += chunk
            if heard != hear:
                connection.sendall(b"500 unexpected\r\n")
                return
        serve(connection)

    return talking
