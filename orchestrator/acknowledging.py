"""What the recorder acknowledges reports with: one signature for all that are stored together."""

from collections.abc import Sequence

from contract.envelope import PayloadType, sign_many
from contract.key import Signer
from contract.order import Acknowledgement, encode, letter_digest
from orchestrator.store.incoming import Answer, Answers, Arrived
from orchestrator.store.record import Kind, NewEnvelope


def acknowledge(reports: Sequence[Arrived], at: Sequence[int], key: Signer) -> Answers:
    """Acknowledge reports that were stored at these moments.

    There is no randomness in it: for the same reports the very same bytes come out.
    """
    told = [
        acknowledgement(each.letter.host, each.tells.epoch, each.letter.digest, moment)
        for each, moment in zip(reports, at, strict=True)
    ]
    head, answers = sign_many(PayloadType.ACKNOWLEDGEMENT, told, key)
    return Answers(
        head=NewEnvelope(
            kind=Kind.ACKNOWLEDGEMENTS, host="", digest=letter_digest(head), data=head, at=at[0]
        ),
        by_report={
            each.letter.digest: Answer(each.letter.host, answer)
            for each, answer in zip(reports, answers, strict=True)
        },
    )


def acknowledgement(host: str, epoch: int, digest: str, at: int) -> bytes:
    """Return what tells a host that a report of its own is stored, as it is signed."""
    return encode(Acknowledgement(host=host, epoch=epoch, digests=[digest], at=at))
