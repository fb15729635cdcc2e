"""The process that looks into claims for another one, until that is gone.

It has no key of its own, opens no file and no connection. Started by `orchestrator.verifier`.
"""

import signal
from socket import socket

import msgspec

from orchestrator.claim import Claim, look_into
from orchestrator.line import Line

READY = b"ready"
_STDIN = 0


def main() -> None:
    """Answer over the socket that is standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    claims = msgspec.msgpack.Decoder(list[Claim])
    try:
        with Line(socket(fileno=_STDIN)) as line:
            line.send(READY)
            while True:
                line.send(msgspec.msgpack.encode(look_into(claims.decode(line.receive()))))
    except (EOFError, OSError):
        return  # nobody asks any more


if __name__ == "__main__":
    main()
