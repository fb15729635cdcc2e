"""SSH's binary form (RFC 4251, section 5): numbers and strings, written and read with care."""

_NUMBER_BYTES = 4


class BlobError(Exception):
    """Bytes are cut short, or there are too many; never shown, whoever reads them says what of."""


def number(value: int) -> bytes:
    """Return an unsigned number of 32 bits."""
    return value.to_bytes(_NUMBER_BYTES, "big")


def string(value: bytes) -> bytes:
    """Return bytes with their length before them."""
    return number(len(value)) + value


class Blob:
    """Takes one member after the other off bytes that somebody else wrote."""

    def __init__(self, data: bytes) -> None:
        """Begin at the first byte."""
        self._rest = data

    def take(self, count: int) -> bytes:
        """Return so many bytes. Raises BlobError if there are fewer."""
        if count > len(self._rest):
            raise BlobError
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def number(self) -> int:
        """Return an unsigned number of 32 bits. Raises BlobError."""
        return int.from_bytes(self.take(_NUMBER_BYTES), "big")

    def string(self) -> bytes:
        """Return bytes whose length stands before them. Raises BlobError."""
        return self.take(self.number())

    def end(self) -> None:
        """See to it that nothing is left. Raises BlobError."""
        if self._rest:
            raise BlobError
