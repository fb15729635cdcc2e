"""As much of DER as it takes to look past a damaged extension at a sound one."""

from collections.abc import Iterator

_LONG_FORM = 0x80
_SEQUENCE = 0x30
_BITS, _OCTETS = 0x03, 0x04
_SAN = b"\x06\x03\x55\x1d\x11"  # the identifier of subjectAltName
_EXTENSIONS = 0xA3  # [3] in a TBSCertificate


def first_element(data: bytes) -> bytes:
    """Return a text's first element alone, without what follows it."""
    return data[: _end(data, 0)]


def bit_string(content: bytes) -> bytes:
    """Return a bit string with this content."""
    return _element(_BITS, content)


def one_name_each(certificate: bytes) -> Iterator[bytes]:
    """Yield copies of a certificate that have no extension but one alternative name of its own.

    Their signatures are wrong. Raises ValueError for what is no certificate.
    """
    tbs, *rest = _elements(_content(first_element(certificate)))
    plain, names = [], b""
    for part in _elements(_content(tbs)):
        if part[0] == _EXTENSIONS:
            names = _alternative_names(part)
        else:
            plain.append(part)
    for name in _elements(_content(first_element(names))):
        value = _element(_OCTETS, _element(_SEQUENCE, name))
        extension = _element(_SEQUENCE, _element(_SEQUENCE, _SAN + value))
        body = b"".join((*plain, _element(_EXTENSIONS, extension)))
        yield _element(_SEQUENCE, _element(_SEQUENCE, body) + b"".join(rest))


def _alternative_names(extensions: bytes) -> bytes:
    for each in _elements(_content(_content(extensions))):
        identifier, *_, value = _elements(_content(each))
        if identifier == _SAN:
            return _content(value)
    return b""


def _elements(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = _end(data, at)
        if end > len(data):
            raise ValueError("cut off")
        yield data[at:end]
        at = end


def _content(element: bytes) -> bytes:
    return element[_start(element, 0) :]


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < _LONG_FORM:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, _LONG_FORM | len(digits))) + digits + content


def _start(data: bytes, at: int) -> int:
    """Return where an element's content begins."""
    length = data[at + 1] if len(data) > at + 1 else 0
    return at + 2 + (length - _LONG_FORM if length > _LONG_FORM else 0)


def _end(data: bytes, at: int) -> int:
    start = _start(data, at)
    digits = data[at + 2 : start]
    return start + (int.from_bytes(digits) if digits else int.from_bytes(data[at + 1 : at + 2]))
