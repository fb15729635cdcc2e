"""Made-up statements of witnesses, by hand and by chance."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from worker.certificate.description import Certificate
from worker.certificate.judge import Wishes
from worker.certificate.witness import (
    Absent,
    Held,
    KeyStatus,
    NotRunning,
    Running,
    Shown,
    Unreached,
    Unreadable,
    Witnesses,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
PORT = "127.0.0.1:443"


def leaf(
    name: str = "new",
    begins: datetime = NOW - 10 * DAY,
    ends: datetime = NOW + 80 * DAY,
    san: tuple[str, ...] = ("DNS:www.example.com",),
    issuer: str = "CN=Authority",
) -> Certificate:
    """A certificate of 90 days, ten days old, from an authority."""
    return Certificate(
        not_before=begins,
        not_after=ends,
        serial="01",
        subject=f"CN=subject of {san}",
        issuer=issuer,
        san=san,
        sha256=name,
        sha1=name,
        key_type="rsa-2048",
        public_key=name.encode(),
    )


NEW = leaf()
OLD = leaf("old", NOW - 80 * DAY, NOW + 5 * DAY)
NEWER = leaf("newer", NOW - DAY, NOW + 89 * DAY)
FOREIGN = leaf("foreign", san=("DNS:other.example.org",))
SELF_SIGNED = leaf("self", san=(), issuer="CN=subject of ()")
CHANGED = NEW.not_before + HOUR  # an authority that dates back by an hour


def held(of: Certificate = NEW, key: KeyStatus = KeyStatus.NOT_ASKED, *chain: Certificate) -> Held:
    return Held(of, chain, CHANGED, key, f"the key is {key}")


def running(
    started: datetime, newest: datetime | None = None, reloaded: datetime | None = None
) -> Running:
    return Running(7, "nginx", started, newest or started, reloaded)


def shown(*leaves: Certificate) -> Shown:
    return Shown(PORT, leaves)


# By chance: few moments and certificates, so that they meet often.
MOMENTS = st.sampled_from(
    [
        NOW + sign * span
        for span in (0 * DAY, SECOND, HOUR, DAY, 10 * DAY, 20 * DAY, 80 * DAY, 3000 * DAY)
        for sign in (1, -1)
    ]
    + [NEW.not_before - 3 * SECOND, NEW.not_before + HOUR, CHANGED, CHANGED - SECOND]
    + [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
LEAVES = st.one_of(
    st.sampled_from([NEW, OLD, NEWER, FOREIGN, SELF_SIGNED]),
    st.builds(
        leaf,
        st.text("abc", max_size=1),
        MOMENTS,
        MOMENTS,
        st.sampled_from([(), ("DNS:www.example.com",), ("DNS:*.example.com", "IP:::1"), ("x",)]),
    ),
)
HELD = st.builds(
    Held,
    leaf=LEAVES,
    chain=st.lists(LEAVES, max_size=2).map(tuple),
    changed_at=MOMENTS,
    key=st.sampled_from(KeyStatus),
    key_note=st.just("something about the key"),
)
FILES = st.one_of(
    st.none(),
    st.just(Absent("/crt")),
    st.just(Unreadable("/crt is empty")),
    st.just(Unreadable("can't read /crt: permission denied", was_read=False)),
    HELD,
)
PROCESSES = st.one_of(
    st.none(),
    st.just(NotRunning("pid file /pid")),
    st.builds(running, MOMENTS, MOMENTS, st.none() | MOMENTS),
)
SHOWN = st.lists(LEAVES, min_size=1, max_size=3).map(lambda leaves: shown(*leaves))
WIRES = st.one_of(st.none(), st.just(Unreached(PORT, "connection refused")), SHOWN)
WITNESSES = st.builds(Witnesses, FILES, PROCESSES, WIRES)
WISHES = st.builds(
    Wishes,
    names=st.sampled_from([(), ("www.example.com",), ("other.example.org", "::1"), ("",)]),
    made_here=st.sampled_from([None, True, False]),
    expiring_within=st.sampled_from([None, 0 * DAY, 30 * DAY, 36500 * DAY]),
)
