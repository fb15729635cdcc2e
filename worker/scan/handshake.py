"""Many ports asked for their certificate at once, by one thread: who speaks TLS, and shows what."""

import errno
import os
import selectors
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from worker.observations.connection import Address, problem_of
from worker.observations.tls import any_certificate
from worker.proc import boot_clock

HANDSHAKE_S = 2.0
_QUIET_S = 0.1  # a server that speaks first does so sooner, and does not speak TLS
_AT_ONCE = 16
_ALERTS = ("TLSV1", "SSLV3_ALERT")  # how OpenSSL names what only a TLS server says
_KIND = socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK


@dataclass(frozen=True, slots=True)
class Question:
    """An address, and the name that is asked for there (SNI); empty for none."""

    address: Address
    server_name: str = ""


class Said(Enum):
    """What came of a question."""

    CERTIFICATE = auto()
    TLS = auto()  # it speaks TLS, but broke off before it showed a certificate
    PLAIN = auto()  # it does not
    REFUSED = auto()  # nothing accepts there
    SILENT = auto()  # no answer in time
    UNASKED = auto()  # the time was over before


@dataclass(frozen=True, slots=True)
class Answer:
    """What a port said, and the certificate that it showed."""

    said: Said
    der: bytes = b""
    why: str = ""

    @property
    def is_tls(self) -> bool:
        return self.said in (Said.CERTIFICATE, Said.TLS)


def ask(questions: Iterable[Question], deadline: float) -> dict[Question, Answer]:
    """Shake hands with each and hang up. The deadline is on the boot clock."""
    answers: dict[Question, Answer] = {}
    waiting = deque(dict.fromkeys(questions))
    running: set[_Handshake] = set()
    with selectors.DefaultSelector() as selector:
        while waiting or running:
            now = boot_clock()
            if now >= deadline:
                break
            while waiting and len(running) < _AT_ONCE:
                running.add(_Handshake(waiting.popleft(), min(deadline, now + HANDSHAKE_S)))
            for handshake in _due(running, selector):
                if answer := handshake.step():
                    answers[handshake.question] = answer
                    running.remove(handshake)
    for handshake in running:
        handshake.hang_up()
        answers[handshake.question] = Answer(Said.UNASKED)
    return answers | dict.fromkeys(waiting, Answer(Said.UNASKED))


def _due(running: set["_Handshake"], selector: selectors.BaseSelector) -> list["_Handshake"]:
    """Wait until something may go on, and return what may."""
    for handshake in running:
        selector.register(handshake.socket, handshake.wants, handshake)
    sooner = min(handshake.wakes for handshake in running) - boot_clock()
    ready = {key.data for key, _ in selector.select(max(sooner, 0))}
    for handshake in running:
        selector.unregister(handshake.socket)
    now = boot_clock()
    return [each for each in running if each in ready or each.wakes <= now]


class _Handshake:
    """One conversation: connect, let the server speak first if it wants to, shake hands."""

    def __init__(self, question: Question, until: float) -> None:
        self.question = question
        self.wants = selectors.EVENT_WRITE
        self.wakes = self._until = until
        family = socket.AF_INET6 if ":" in question.address.host else socket.AF_INET
        self.socket: socket.socket = socket.socket(family, _KIND)
        self._began = self.socket.connect_ex((question.address.host, question.address.port))
        self._step: Callable[[], Answer | None] = self._connected

    def step(self) -> Answer | None:
        """Go on as far as it goes; an answer ends it."""
        try:
            answer = self._step()
            if answer is None and boot_clock() >= self._until:
                answer = Answer(Said.SILENT)
        except ssl.SSLError as error:
            answer = _broken(error)
        except OSError as error:
            answer = Answer(Said.PLAIN, why=problem_of(error))
        if answer is not None:
            self.hang_up()
        return answer

    def hang_up(self) -> None:
        self.socket.close()

    def _connected(self) -> Answer | None:
        code = self._began
        if code in (0, errno.EINPROGRESS):
            code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            return Answer(Said.REFUSED, why=problem_of(OSError(code, os.strerror(code))))
        if boot_clock() >= self._until:
            return None
        self.wants = selectors.EVENT_READ
        self.wakes = min(self._until, boot_clock() + _QUIET_S)
        self._step = self._quiet
        return None

    def _quiet(self) -> Answer | None:
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            if boot_clock() < self.wakes:
                return None
            return self._begin_tls()
        return Answer(Said.PLAIN, why="it speaks first")

    def _begin_tls(self) -> Answer | None:
        self.wakes = self._until
        self.socket = secured = any_certificate().wrap_socket(
            self.socket,
            server_hostname=self.question.server_name or None,
            do_handshake_on_connect=False,
        )
        self._step = partial(self._shake, secured)
        return self._shake(secured)

    def _shake(self, secured: ssl.SSLSocket) -> Answer | None:
        try:
            secured.do_handshake()
        except ssl.SSLWantReadError:
            self.wants = selectors.EVENT_READ
            return None
        except ssl.SSLWantWriteError:
            self.wants = selectors.EVENT_WRITE
            return None
        der = secured.getpeercert(binary_form=True)
        return Answer(Said.CERTIFICATE, der) if der else Answer(Said.TLS, why="no certificate")


def _broken(error: ssl.SSLError) -> Answer:
    """Tell who refuses in TLS from who speaks something else."""
    said = Said.TLS if (error.reason or "").startswith(_ALERTS) else Said.PLAIN
    return Answer(said, why=problem_of(error))
