"""What was heard in a letter: all that the recorder needs of it, once it has been looked into."""

import msgspec

from contract.envelope import PayloadType
from contract.report import Footing, FromHost, Pong, Receipt, Refusal, Report

MESSAGES: dict[PayloadType, type[FromHost]] = {
    PayloadType.RECEIPT: Receipt,
    PayloadType.REPORT: Report,
    PayloadType.REFUSAL: Refusal,
    PayloadType.PONG: Pong,
    PayloadType.FOOTING: Footing,
}
_DECODERS = {kind: msgspec.msgpack.Decoder(message) for kind, message in MESSAGES.items()}
_ENCODER = msgspec.msgpack.Encoder()


class Heard(msgspec.Struct, frozen=True, array_like=True):
    """A letter that is believed, or why it is not; small enough to be handed on."""

    complaint: str = ""  # why it must not be believed
    type: PayloadType = PayloadType.REPORT
    digest: str = ""
    message: bytes = b""  # without what is only in `report`
    report: str = ""  # a report's payload in its one spelling

    @property
    def tells(self) -> FromHost:
        """Return what it tells; of a report all but its passes, which nobody judges here."""
        return _DECODERS[self.type].decode(self.message)


def heard(kind: PayloadType, digest: str, message: FromHost) -> Heard:
    """Return what is to be handed on of a message that is believed."""
    report = ""
    if isinstance(message, Report):
        report = msgspec.json.encode(message, order="sorted").decode()
        message = msgspec.structs.replace(message, passes=[])
    return Heard(type=kind, digest=digest, message=_ENCODER.encode(message), report=report)
