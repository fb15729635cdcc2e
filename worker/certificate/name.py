"""For which names a certificate is good, as clients decide it (RFC 6125)."""

from ipaddress import ip_address

from worker.certificate.description import Certificate


def covers(certificate: Certificate, name: str) -> bool:
    """Tell whether a client that asks for a name, or an address, would take the certificate."""
    wanted = _plain(name)
    return any(_fits(pattern, wanted) for pattern in names_of(certificate))


def share_a_name(one: Certificate, other: Certificate) -> bool:
    """Tell whether two certificates may be one service's: a name of one is good for the other.

    Where one has no name at all, its subject stands for one.
    """
    ours, theirs = names_of(one), names_of(other)
    is_nameless = not (ours and theirs)
    if one.public_key == other.public_key or (is_nameless and one.subject == other.subject != ""):
        return True
    return any(_fits(a, b) or _fits(b, a) for a in ours for b in theirs)


def names_of(certificate: Certificate) -> list[str]:
    """Return the names that it is made out for; its common name only where it has no others."""
    kinds = [text.partition(":") for text in certificate.san]
    if any(kind in ("DNS", "IP", "URI") for kind, _, _ in kinds):
        return [_plain(name) for kind, _, name in kinds if kind in ("DNS", "IP")]
    return [_plain(certificate.common_name)] if certificate.common_name else []


def _plain(name: str) -> str:
    bare = name.strip().removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(bare))
    except ValueError:
        return _ascii(bare.rstrip(".").lower())


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _ascii(name: str) -> str:
    try:
        return name.encode("ascii" if name.isascii() else "idna").decode("ascii")
    except UnicodeError:
        return name


def _fits(pattern: str, name: str) -> bool:
    """A `*` stands for exactly one whole label, the first, above at least two others."""
    if pattern == name or _is_address(name):
        return pattern == name
    star, _, parent = pattern.partition(".")
    first, _, rest = name.partition(".")
    return star == "*" and "." in parent and bool(first) and rest == parent
