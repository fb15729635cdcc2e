"""Which file and which port are one certificate's."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from worker.certificate.description import Certificate
from worker.observations.connection import Address
from worker.scan.daemons import DAEMONS, Configured
from worker.scan.joining import CertificateFile, join, names_to_ask
from worker.scan.owner import Owner
from worker.scan.port import Port, TlsPort

NGINX = next(daemon for daemon in DAEMONS if daemon.name == "nginx")
MASTER = Owner(1, 1, "nginx", "nginx.service", "nginx: master process /usr/sbin/nginx")
OTHER = Owner(2, 2, "node", "", "node /srv/app.js")


def leaf(mark: str, *names: str) -> Certificate:
    """A certificate that differs from others by its mark."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Certificate(
        not_before=moment,
        not_after=moment,
        serial="01",
        subject=f"CN={mark}",
        issuer="CN=ca",
        san=tuple(f"DNS:{name}" for name in names),
        sha256=mark,
        sha1=mark,
        key_type="ed25519",
        public_key=mark.encode(),
    )


def port(number: int, owner: Owner | None, **shown: Certificate) -> TlsPort:
    """A port that shows certificates: `everybody`'s, and others by name (with _ for a dot)."""
    by_name = {name.replace("_", "."): each for name, each in shown.items()}
    by_name = {"" if name == "everybody" else name: each for name, each in by_name.items()}
    made = Port(number, ("127.0.0.1",), owner)
    return TlsPort(made, Address("127.0.0.1", number), by_name)


def configured(
    path: str, held: Certificate | None, owner: Owner | None = MASTER
) -> CertificateFile:
    return CertificateFile(Configured(path), held, NGINX, owner)


def given_by_hand(path: str, held: Certificate | None) -> CertificateFile:
    return CertificateFile(Configured(path), held)


def joined(files: list[CertificateFile], ports: list[TlsPort]) -> list[tuple[str, int]]:
    """Path and port of each use; nothing and 0 for what it has not."""
    return [
        (use.file.path if use.file else "", use.port.port.number if use.port else 0)
        for use in join(files, ports)
    ]


A, B = leaf("a", "a.example"), leaf("b", "b.example")
OLD_A = leaf("old", "a.example", "www.a.example")


def test_port_belongs_to_the_file_whose_certificate_it_shows() -> None:
    files = [configured("/a", A), configured("/b", B)]
    assert joined(files, [port(443, MASTER, everybody=A, b_example=B)]) == [
        ("/a", 443),
        ("/b", 443),
    ]


def test_port_that_shows_the_one_before_belongs_to_the_renewed_file() -> None:
    """A name is shared, and no file holds what is shown."""
    assert joined([configured("/a", A)], [port(443, MASTER, everybody=OLD_A)]) == [("/a", 443)]


def test_port_that_shows_a_files_own_is_no_other_files_though_names_are_shared() -> None:
    """Two files for one name, as for RSA and ECDSA: the one that is not shown is told alone."""
    files = [configured("/old", OLD_A), configured("/a", A)]
    assert joined(files, [port(443, MASTER, everybody=A)]) == [("/a", 443), ("/old", 0)]


def test_file_that_one_port_shows_is_not_blamed_for_another() -> None:
    """443 shows it: that 8443 shows an older one is then told of the port alone."""
    ports = [port(443, MASTER, everybody=A), port(8443, MASTER, everybody=OLD_A)]
    assert joined([configured("/a", A)], ports) == [("/a", 443), ("", 8443)]


def test_file_of_two_daemons_is_stale_in_the_one_though_the_other_shows_it() -> None:
    """Both use it, and only one of them was reloaded."""
    postgres = next(daemon for daemon in DAEMONS if daemon.name == "postgresql")
    server = Owner(3, 3, "postgres", "postgresql.service", "postgres -D /data")
    files = [configured("/a", A), CertificateFile(Configured("/a"), A, postgres, server)]
    ports = [port(443, MASTER, everybody=A), port(5432, server, everybody=OLD_A)]
    assert joined(files, ports) == [("/a", 443), ("/a", 5432)]


def test_certificate_of_another_name_belongs_to_no_file() -> None:
    found = joined([configured("/a", A)], [port(443, MASTER, everybody=B)])
    assert found == [("", 443), ("/a", 0)]


def test_port_of_another_process_is_not_joined() -> None:
    """Neither of another program, nor of another nginx with a configuration of its own."""
    second = replace(MASTER, pid=9, command_line="nginx: master process nginx -c /srv/n.conf")
    for stranger in (OTHER, second, None, replace(MASTER, is_contained=True)):
        found = joined([configured("/a", A)], [port(443, stranger, everybody=A)])
        assert found == [("", 443), ("/a", 0)]


def test_file_given_by_hand_is_found_behind_a_port_of_unknown_configuration() -> None:
    """It yields to a file of the daemon's own."""
    files = [given_by_hand("/mine", A), configured("/a", A)]
    ports = [port(443, MASTER, everybody=A), port(3000, OTHER, everybody=OLD_A)]
    assert joined(files, ports) == [("/a", 443), ("", 3000), ("/mine", 0)]
    assert joined(files[:1], ports) == [("/mine", 443), ("", 3000)]
    assert joined(files[:1], ports[1:]) == [("/mine", 3000)]


def test_file_that_holds_no_certificate_is_told_alone() -> None:
    found = joined([configured("/none", None)], [port(443, MASTER, everybody=A)])
    assert found == [("", 443), ("/none", 0)]


def test_name_is_asked_for_where_everybody_is_shown_another_certificate() -> None:
    """Of the same daemon only, and not where the answer is known."""
    files = [configured("/a", A), configured("/b", B), configured("/none", None)]
    ports = [port(443, MASTER, everybody=A), port(3000, OTHER, everybody=A)]
    assert [(each.port.number, name) for each, name in names_to_ask(files, ports)] == [
        (443, "b.example")
    ]


def test_asked_name_goes_with_the_use() -> None:
    uses = join([configured("/b", B)], [port(443, MASTER, everybody=A, b_example=B)])
    assert [(use.server_name, use.file is None) for use in uses] == [
        ("b.example", False),
        ("", True),
    ]


LEAVES = st.sampled_from([A, B, OLD_A, leaf("c", "c.example")])
OWNERS = st.sampled_from([MASTER, OTHER, None])
FILES = st.lists(
    st.builds(configured, st.uuids().map(lambda uuid: f"/{uuid}"), st.none() | LEAVES), max_size=4
)
PORTS = st.lists(
    st.builds(
        lambda number, owner, held: port(number, owner, everybody=held),
        st.integers(1, 65535),
        OWNERS,
        LEAVES,
    ),
    max_size=4,
    unique_by=lambda each: each.port.number,
)


@given(FILES, PORTS)
def test_nothing_that_was_found_is_lost_or_told_twice(
    files: list[CertificateFile], ports: list[TlsPort]
) -> None:
    found = joined(files, ports)
    assert {path for path, _ in found} - {""} == {file.path for file in files}
    assert {number for _, number in found} - {0} == {each.port.number for each in ports}
    assert len(set(found)) == len(found)
