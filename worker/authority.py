"""Whether those who signed a letter may: by this host's keyring, its labels, and the clock."""

from collections.abc import Iterable, Mapping

from contract.envelope import EnvelopeError, Flaw, PayloadType, Verified, peek
from contract.keyring import Admission, Duty, Right
from contract.order import MessageError, Order, decode
from contract.signatory import Signatories, Signatory
from contract.succession import SuccessionError, open_next, read_keyring
from worker.membership import Membership, MembershipError, open_admission
from worker.request import SCHEDULER, Standing
from worker.verdict import Followed, Known, Reason, Refused

_FROM_THE_FLEET = frozenset(
    {PayloadType.ORDER, PayloadType.CANCEL, PayloadType.PING, PayloadType.ACKNOWLEDGEMENT}
)
_GOES_BY: Mapping[PayloadType, type[Order | Admission]] = {
    PayloadType.ORDER: Order,
    PayloadType.ADMISSION: Admission,
}


class Authority:
    """Knows who is who, by one keyring and one admission."""

    def __init__(self, membership: Membership) -> None:
        """Index the keyring."""
        self.membership = membership
        self._signatories = Signatories(membership.keyring)

    def open(self, letter: bytes, now: int) -> tuple[Verified, list[Signatory]]:
        """Return a letter's payload and who signed it, all with keys that count. Raises Refused."""
        try:
            verified = self._signatories.verify(letter, _FROM_THE_FLEET)
        except EnvelopeError as error:
            self._check_not_behind(letter, error)
            raise Refused(Reason(error.flaw.value), str(error)) from None
        signers = [self._signatories[key_id] for key_id in sorted(verified.key_ids)]
        for signer in signers:
            _check_counts(signer, now)
        if verified.type is PayloadType.ORDER:
            self._check_keyring_good(now)
        return verified, signers

    def check_right(self, signer: Signatory, right: Right, runbook: str | None = None) -> None:
        """See to it that somebody may sign such a thing for this host. Raises Refused."""
        if not signer.may(right, self.membership.admission.labels, runbook):
            what = f"{right} {runbook!r} here" if runbook else f"{right} here"
            raise Refused(Reason.WRONG_ROLE, f"no role of {signer.name!r} lets them {what}")

    def follow(self, letter: bytes) -> Followed | Known:
        """Judge a keyring: the next one is followed. Raises Refused."""
        ours = self.membership
        try:
            found = read_keyring(letter)
            if found.version <= ours.keyring.version:
                return self._seen(letter, found.version)
            if found.version > ours.keyring.version + 1:
                raise self._behind(found.version)
            following = open_next(letter, ours.keyring)
        except SuccessionError as error:
            raise Refused(Reason(error.fault.value), str(error)) from None
        return Followed(Membership(ours.admission, following, letter), None)

    def admit(self, letter: bytes, now: int) -> Followed | Known:
        """Judge an admission: of this host, this epoch, these keys, and newer. Raises Refused."""
        ours = self.membership
        try:
            found = open_admission(letter, self._signatories, now)
        except EnvelopeError as error:
            self._check_not_behind(letter, error)
            raise Refused(Reason(error.flaw.value), str(error)) from None
        except MembershipError as error:
            raise Refused(Reason.WRONG_ROLE, str(error)) from None
        if found == ours.admission:
            return Known()
        if found.host != ours.host:
            raise Refused(Reason.WRONG_HOST, f"it admits {found.host!r}; this is {ours.host!r}")
        if found.epoch != ours.epoch:
            raise Refused(Reason.WRONG_EPOCH, f"it is of epoch {found.epoch}, not {ours.epoch}")
        keys = (ours.admission.sign, ours.admission.seal)
        if (found.sign, found.seal) != keys or found.issued_at <= ours.admission.issued_at:
            detail = "it has other keys, or is not newer than the one this host goes by"
            raise Refused(Reason.ADMISSION_OUTDATED, detail)
        return Followed(Membership(found, ours.keyring, ours.keyring_letter), letter)

    def check_not_revoked(self, key_ids: Iterable[str], run_id: str) -> None:
        """Refuse what waited its turn while a key that signed it was revoked. Raises Refused."""
        for key_id in key_ids:
            known = key_id in self._signatories
            if not known or self._signatories[key_id].window.revoked_at is not None:
                name = self._signatories[key_id].name if known else key_id
                detail = f"the key of {name!r} was revoked while it waited its turn"
                raise Refused(Reason.KEY_NOT_VALID, detail, run_id)

    def standing(self, order: Order, key_ids: Iterable[str]) -> Standing:
        """Return who is behind an order by now: its operator's roles, and how many people.

        Raises Refused if the operator may not order it any more.
        """
        signers = [self._signatories[key_id] for key_id in key_ids if key_id in self._signatories]
        if is_duty(signers, Duty.SCHEDULER):
            return Standing(frozenset({SCHEDULER}), 1)
        labels, runbook = self.membership.admission.labels, order.runbook
        persons = {
            signer.name
            for signer in signers
            if signer.name == order.operator or signer.may(Right.APPROVE, labels, runbook)
        }
        roles = {
            role.name
            for signer in signers
            if signer.name == order.operator
            for role in signer.roles_for(Right.ORDER, labels, runbook)
        }
        if not roles:
            detail = f"no role of {order.operator!r} lets them order {runbook!r} here any more"
            raise Refused(Reason.WRONG_ROLE, detail, order.run_id)
        return Standing(frozenset(roles), len(persons))

    def check_order_not_ahead(self, order: Order) -> None:
        """Refuse, for now, an order signed by a keyring that has not come yet. Raises Refused."""
        if order.keyring > self.membership.keyring.version:
            raise self._behind(order.keyring, order.run_id)

    def _seen(self, letter: bytes, version: int) -> Known:
        ours = self.membership
        is_other = _payload(letter) != _payload(ours.keyring_letter)
        if version == ours.keyring.version and is_other:
            detail = f"there are two keyrings of version {version}: somebody forked the fleet"
            raise Refused(Reason.KEYRING_FORKED, detail)
        return Known()

    def _check_not_behind(self, letter: bytes, error: EnvelopeError) -> None:
        """Tell a signer who is unknown from one who is not known yet, by what the letter says.

        That is not verified; a liar gets no more by it than a new copy of a keyring sent here.
        """
        if error.flaw is not Flaw.UNKNOWN_KEY:
            return
        try:
            kind, payload = peek(letter)
            said = decode(payload, _GOES_BY[kind]) if kind in _GOES_BY else None
        except (EnvelopeError, MessageError):
            return
        if said and said.keyring > self.membership.keyring.version:
            raise self._behind(said.keyring, getattr(said, "run_id", None)) from None

    def _behind(self, version: int, run_id: str | None = None) -> Refused:
        ours = self.membership.keyring.version
        detail = f"it goes by keyring {version}; this host follows {ours}, and waits for the next"
        return Refused(Reason.KEYRING_BEHIND, detail, run_id)

    def _check_keyring_good(self, now: int) -> None:
        if self.membership.keyring.expires_at <= now:
            detail = "the keyring that this host follows has expired; it waits for the next"
            raise Refused(Reason.KEYRING_EXPIRED, detail)


def _payload(letter: bytes) -> bytes:
    return peek(letter)[1]


def _check_counts(signer: Signatory, now: int) -> None:
    if signer.window.counts_at(now):
        return
    why = "has expired" if now >= signer.window.not_after else "does not count yet"
    if signer.window.revoked_at is not None:
        why = "was revoked"
    raise Refused(Reason.KEY_NOT_VALID, f"the key of {signer.name!r} {why}")


def is_duty(signers: list[Signatory], duty: Duty) -> bool:
    """Tell whether a letter is signed by one service alone, with this duty."""
    return len(signers) == 1 and signers[0].has_duty(duty)
