"""What is done to genuine letters to make hostile ones: bits, cuts, and structure."""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from contract.envelope import PayloadType, sign
from contract.key import SigningKey
from tests.unit.contract.curve import GROUP

Tree = dict[str, Any]

_PIECES = (b" ", b"\n", b'"', b",", b"}", b"{", b"=", b"\\u0061", b"\0", b"\xff", b"[", b"null")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_IDENTITY = bytes([1]) + bytes(63)  # R is the neutral point, S is 0
_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**64,
    1.5,
    "",
    "web2",
    "\x00",
    [],
    {},
    ["x"],
    {"x": 1},
)


def flips(letter: bytes) -> Iterator[bytes]:
    """Yield a letter with each of its bits turned, one at a time."""
    for position in range(len(letter)):
        for bit in range(8):
            forged = bytearray(letter)
            forged[position] ^= 1 << bit
            yield bytes(forged)


def cuts(letter: bytes) -> Iterator[bytes]:
    """Yield every beginning and every end of a letter but the whole."""
    for end in range(len(letter)):
        yield letter[:end]
        yield letter[end + 1 :]


def edited(letter: bytes, chance: Random) -> bytes:
    """Return a letter with up to five pieces put in, taken out, replaced or doubled."""
    forged = bytearray(letter)
    for _ in range(chance.randint(1, 5)):
        start = chance.randrange(len(forged) + 1)
        end = min(len(forged), start + chance.randrange(40))
        new = chance.choice(_PIECES) if chance.random() < 0.7 else chance.randbytes(4)
        doubled = bytes(forged[start:end]) * 2
        forged[start:end] = chance.choice((new, b"", new + forged[start:end], doubled))
    return bytes(forged)


class Workshop:
    """Takes genuine letters apart and puts them together in ways that nobody signed."""

    def __init__(self, letters: Sequence[bytes], chance: Random) -> None:
        """Work on these letters; the stranger's key is no part of them."""
        self._letters = letters
        self._chance = chance
        self._stranger = SigningKey.generate()
        self._jobs: Sequence[Callable[[Tree], object]] = (
            *(self._spliced, self._other_type, self._other_signature, self._other_key_id),
            *(self._other_payload, self._by_a_stranger, self._one_more, self._members),
            *(self._within, self._value),
        )

    def forge(self) -> bytes:
        """Return one hostile letter, in the spelling of genuine ones or in another."""
        letter = self._chance.choice(self._letters)
        if self._chance.random() < 0.2:
            return self._respelt(letter)
        tree = self._chance.choice(self._jobs)(json.loads(letter))
        return spelt(tree)

    def _any(self) -> Tree:
        return dict(json.loads(self._chance.choice(self._letters)))

    def _spliced(self, tree: Tree) -> Tree:
        """Payload, type and signatures of up to three letters."""
        return {name: self._chance.choice((tree, self._any()))[name] for name in tree}

    def _other_type(self, tree: Tree) -> Tree:
        kind = self._chance.choice(list(PayloadType)).value
        spelling = self._chance.choice((kind, kind.upper(), kind + "\0", f" {kind}", kind + ";v=2"))
        return tree | {"payloadType": spelling}

    def _other_signature(self, tree: Tree) -> Tree:
        """The signature respelt by the group's order, of small order, another's, or noise."""
        one = self._chance.choice(tree["signatures"])
        raw = base64.b64decode(one["sig"])
        again = (int.from_bytes(raw[32:], "little") + GROUP).to_bytes(32, "little")
        other = base64.b64decode(self._any()["signatures"][0]["sig"])
        noise = self._chance.randbytes(64)
        choices = (raw[:32] + again, _IDENTITY, bytes(64), other, noise, raw[:63], raw + b"\0")
        one["sig"] = _encode(self._chance.choice(choices))
        return tree

    def _other_key_id(self, tree: Tree) -> Tree:
        one = self._chance.choice(tree["signatures"])
        other = self._any()["signatures"][0]["keyid"]
        one["keyid"] = self._chance.choice((other, other.upper(), "0" * 32, other[:31], one["sig"]))
        return tree

    def _other_payload(self, tree: Tree) -> Tree:
        """A member of the message changed, taken out or put in, under the old signature."""
        payload = json.loads(base64.b64decode(tree["payload"]) or b"{}")
        name = self._chance.choice([*payload, "admin"])
        other = json.loads(base64.b64decode(self._any()["payload"]) or b"{}")
        payload[name] = self._chance.choice([*_VALUES, *other.values()])
        if self._chance.random() < 0.3:
            del payload[name]
        return tree | {"payload": _encode(spelt(payload))}

    def _by_a_stranger(self, tree: Tree) -> Tree:
        """The same message signed by a stranger, under the stranger's key id or the true one's."""
        kind, payload = PayloadType(tree["payloadType"]), base64.b64decode(tree["payload"])
        forged = dict(json.loads(sign(kind, payload, [self._stranger])))
        if self._chance.random() < 0.7:
            forged["signatures"][0]["keyid"] = self._any()["signatures"][0]["keyid"]
        return forged

    def _one_more(self, tree: Tree) -> Tree:
        """A signature more: a stranger's, another letter's, or the same once more."""
        others = (self._by_a_stranger(tree), self._any(), tree)
        added = [*tree["signatures"], self._chance.choice(others)["signatures"][0]]
        return tree | {"signatures": sorted(added, key=lambda one: str(one["keyid"]))}

    def _members(self, tree: Tree) -> Tree:
        """A member too many or too few, in the envelope or in a signature."""
        part = self._chance.choice([tree, tree["signatures"][0]])
        if self._chance.random() < 0.5:
            del part[self._chance.choice(list(part))]
        else:
            part[self._chance.choice(("alg", "kid", "", "payload "))] = "none"
        return tree

    def _within(self, tree: Tree) -> object:
        """A letter within a letter, or within a list."""
        wrapped = tree | {"payload": _encode(spelt(tree))}
        return self._chance.choice(([tree], {"letter": tree}, wrapped, _encode(spelt(tree))))

    def _value(self, tree: Tree) -> Tree:
        return tree | {self._chance.choice(list(tree)): self._chance.choice(_VALUES)}

    def _respelt(self, letter: bytes) -> bytes:
        """The same content in another spelling."""
        tree = json.loads(letter)
        base = tree["payload"].rstrip("=")
        spare = base[:-1] + _ALPHABET[_ALPHABET.index(base[-1]) ^ 1] if base else "A"
        padding = tree["payload"][len(base) :]
        return self._chance.choice(
            (
                *(letter + b"\n", b" " + letter, b"\xef\xbb\xbf" + letter, letter + letter),
                letter.replace(b",", b", ", 1),
                letter.replace(b"payload", b"p\\u0061yload", 1),
                letter.replace(b"/", b"\\/", 1),
                letter.replace(b'{"payload"', b'{"payload":"","payload"', 1),
                letter.replace(b'{"keyid"', b'{"keyid":"","keyid"', 1),
                json.dumps(tree, sort_keys=True, indent=1).encode(),
                json.dumps(dict(reversed(tree.items())), separators=(",", ":")).encode(),
                letter.decode().encode("utf-16"),
                spelt(tree | {"payload": base + "=" * (len(padding) + 1)}),
                spelt(tree | {"payload": base + "\n" + padding}),
                spelt(tree | {"payload": spare + (padding or "=")}),
            )
        )


def spelt(tree: object) -> bytes:
    """Return a tree in the spelling that letters have."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":")).encode()


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
