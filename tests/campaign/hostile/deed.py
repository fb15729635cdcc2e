"""What hostile hands do to the broker itself, and the letters that they forge and misdirect."""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from contract.envelope import PayloadType
from contract.instant import now_ms
from contract.key import Signer, SigningKey
from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.order import Acknowledgement, Order, sign_message
from contract.publisher import Publisher
from orchestrator.home import Home
from orchestrator.store.record import Kind
from tests.campaign.hostile.message import OTHERS_QUEUE, junk, message, raw
from tests.end_to_end.forgery import FORGERIES, Forge, alter, read_order
from tests.waiting import eventually

FLOOD = 10_000


@dataclass(frozen=True, slots=True)
class Hands:
    """An attacker's hands: all rights at the broker, and every letter that ever went over it."""

    client: Any  # redis.Redis
    publisher: Publisher
    home: Home
    letters: Mapping[Kind, bytes]  # a genuine one of each kind, about the victim
    acknowledgement: bytes  # of its report
    queue: str = host_queue("web1")

    def push(self, queue: str, *contents: Any) -> None:
        """Put contents into a queue as they are."""
        for content in contents:
            self.client.lpush(queue, raw(content))

    def deliver(self, *letters: bytes) -> None:
        for letter in letters:
            self.publisher.publish(self.queue, DELIVER_TASK, letter)

    def record(self, *letters: bytes) -> None:
        for letter in letters:
            self.publisher.publish(REPORTS_QUEUE, RECORD_TASK, letter)


Deed = Callable[[Hands], None]


def _shut_down(hands: Hands) -> None:
    """Ask for what Celery's remote control would do, by every way there is."""
    for method in ("shutdown", "pool_shrink", "cancel_consumer", "rate_limit", "revoke"):
        order = {"method": method, "arguments": {"queue": hands.queue}, "destination": None}
        control = message([order]) | {"body": json.dumps(order), "properties": {}}
        hands.client.publish("/0.celery.pidbox", raw(control))
        hands.client.publish("/0.celeryev/worker.#", raw(control))
        hands.push("celery@web1.celery.pidbox", control)


def _bind(hands: Hands) -> None:
    """Bind the victim's queues to another's, as kombu's tables of exchanges have it."""
    for exchange in (hands.queue, REPORTS_QUEUE, "celery.pidbox", "celeryev", ""):
        key = f"_kombu.binding.{exchange}"
        hands.client.sadd(key, f"{hands.queue}\x06\x16\x06\x16{OTHERS_QUEUE}")
        hands.client.publish(f"/0.{exchange}", raw(message(["fanout"])))


def _restore(hands: Hands) -> None:
    """Lay out messages that a consumer with acknowledgements would publish for us."""
    whole = raw([message(["x"]), "", OTHERS_QUEUE])
    for prefix in ("", f"{hands.queue}.", "unacked."):
        hands.client.hset(f"{prefix}unacked", "tag", whole)
        hands.client.zadd(f"{prefix}unacked_index", {"tag": 0})
        hands.client.set(f"{prefix}unacked_mutex", "x")


def _unacked_of_another_type(hands: Hands) -> None:
    for key in ("unacked", "unacked_index", "unacked_mutex", "_kombu.binding.celery"):
        hands.client.set(key, "x")


def _priority_lists(hands: Hands) -> None:
    for step in range(1, 10):
        hands.push(f"{hands.queue}\x06\x16{step}", message(["x"]))


def _instead_of_a_list(put: Callable[[Any, str], object]) -> Deed:
    """Let the queues be something else for as long as both consumers need to see it."""

    def deed(hands: Hands) -> None:
        for queue in (hands.queue, REPORTS_QUEUE):
            hands.client.delete(queue)
            put(hands.client, queue)
        refused = _errors(hands.client)
        eventually(lambda: _errors(hands.client) >= refused + 4, within=20, what="refusals")
        hands.client.delete(hands.queue, REPORTS_QUEUE)

    return deed


def _errors(client: Any) -> int:
    return int(client.info("errorstats").get("errorstat_WRONGTYPE", {"count": 0})["count"])


def _kill_clients(hands: Hands) -> None:
    for _ in range(3):
        hands.client.client_kill_filter(_type="normal", skipme=True)


def _lose_queues(hands: Hands) -> None:
    hands.push(hands.queue, message(["x"]))
    for queue in (hands.queue, REPORTS_QUEUE):
        hands.client.delete(queue)


def _rename(hands: Hands) -> None:
    hands.push(hands.queue, *[message(["x"])] * 50)
    try:
        hands.client.rename(hands.queue, "renamed")
    except redis.ResponseError:
        return  # all of them were fetched already


def _full(hands: Hands) -> None:
    """Let Redis refuse every word for want of memory, until both sides have seen it."""
    hands.client.config_set("maxmemory", 1)
    rejected = _rejected(hands.client)
    eventually(lambda: _rejected(hands.client) >= rejected + 2, within=40, what="refusals")
    hands.client.config_set("maxmemory", 0)


def _rejected(client: Any) -> int:
    return int(client.info("errorstats").get("errorstat_OOM", {"count": 0})["count"])


def _flood(queue: str) -> Deed:
    def deed(hands: Hands) -> None:
        pipe = hands.client.pipeline(transaction=False)
        for content in junk(FLOOD):
            pipe.lpush(queue, content)
        pipe.execute()

    return deed


def _letters_of_nobody(hands: Hands) -> None:
    for _ in range(100):
        hands.deliver(secrets.token_hex(200).encode())
        hands.record(secrets.token_hex(200).encode())


def _letters_too_large(hands: Hands) -> None:
    for size in (300_000, 520_000, 600_000, 1_000_000):
        hands.deliver(b"x" * size)
        hands.record(b"x" * size)


def _forged(forge: Forge) -> Deed:
    def deed(hands: Hands) -> None:
        order: Order = read_order(hands.letters[Kind.ORDER])
        hands.deliver(forge(order, hands.home.operator_key()))

    return deed


def _replays(hands: Hands) -> None:
    """Send every kind of letter again, to where it belongs."""
    for letter in (hands.letters[Kind.ORDER], hands.acknowledgement):
        hands.deliver(*[letter] * 3)
    for kind in (Kind.RECEIPT, Kind.REPORT):
        hands.record(*[hands.letters[kind]] * 3)


def _misaddressed(hands: Hands) -> None:
    """Send every kind of letter to the wrong side."""
    for kind in (Kind.RECEIPT, Kind.REPORT):
        hands.deliver(hands.letters[kind])
    hands.record(hands.letters[Kind.ORDER], hands.acknowledgement)


def _altered(hands: Hands) -> None:
    hands.deliver(alter(hands.acknowledgement, at=1))
    hands.record(alter(hands.letters[Kind.REPORT], state="failed"))
    hands.record(alter(hands.letters[Kind.RECEIPT], at=1))


def _acknowledged(key: Callable[[Hands], Signer]) -> Deed:
    """Acknowledge, with a key that may not, what nobody has recorded."""

    def deed(hands: Hands) -> None:
        word = Acknowledgement(host="web1", epoch=1, digests=["0" * 64], at=now_ms())
        hands.deliver(sign_message(PayloadType.ACKNOWLEDGEMENT, word, key(hands)))

    return deed


def _all() -> Iterator[tuple[str, Deed]]:
    yield "remote_control", _shut_down
    yield "fanout_bindings", _bind
    yield "unacked_keys", _restore
    yield "unacked_keys_of_another_type", _unacked_of_another_type
    yield "priority_lists", _priority_lists
    yield "queue_is_a_string", _instead_of_a_list(lambda client, key: client.set(key, "x"))
    yield "queue_is_a_hash", _instead_of_a_list(lambda client, key: client.hset(key, "a", "b"))
    yield "queue_is_a_stream", _instead_of_a_list(lambda client, key: client.xadd(key, {"a": "b"}))
    yield "clients_killed", _kill_clients
    yield "queues_lost", _lose_queues
    yield "queue_renamed", _rename
    yield "broker_full", _full
    yield "flood_of_junk_for_the_courier", _flood(host_queue("web1"))
    yield "flood_of_junk_for_the_recorder", _flood(REPORTS_QUEUE)
    yield "letters_of_nobody", _letters_of_nobody
    yield "letters_too_large", _letters_too_large
    for name, forge in FORGERIES.items():
        yield f"order_{name}", _forged(forge)
    yield "letters_replayed", _replays
    yield "letters_misaddressed", _misaddressed
    yield "letters_altered", _altered
    yield "acknowledged_by_a_stranger", _acknowledged(lambda _hands: SigningKey.generate())
    yield "acknowledged_by_the_operator", _acknowledged(lambda hands: hands.home.operator_key())


DEEDS: Mapping[str, Deed] = dict(_all())
