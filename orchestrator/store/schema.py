"""The tables as SQLAlchemy Core knows them. A test holds the migrations to it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

hosts = Table(
    "hosts",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("sign_key", String(44), nullable=False),
    Column("seal_key", String(44), nullable=False),
    Column("labels", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("last_signed_at", BigInteger),
    Column("epoch", BigInteger, nullable=False),
    Column("admission", LargeBinary, nullable=False),
    Column("admission_at", BigInteger, nullable=False),
    Column("admitted_at", BigInteger, nullable=False),
    Column("keyring", BigInteger, nullable=False),
    Column("follow_at", BigInteger, nullable=False),
    Column("follow_pause_ms", BigInteger, nullable=False),
    Index(None, "follow_at"),
)

# What a fleet trusts, version by version.
keyrings = Table(
    "keyrings",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("data", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# Keys outlive their host: letters of a host long gone must still verify.
host_keys = Table(
    "host_keys",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("host", String(63), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("sign_key", String(44), nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
)

# What the broker is to know of its users: never a password, its SHA-256 only.
broker_users = Table(
    "broker_users",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("digest", String(64), nullable=False),
)

# Tokens, and what became of each. What both sides share is kept only while one can be used.
enrolments = Table(
    "enrolments",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("host", String(63), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("shared_key", String(64), nullable=False),
    Column("labels", Text, nullable=False),
    Column("hold", Boolean(create_constraint=False), nullable=False),
    Column("keyring", BigInteger, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("sign_key", String(44), nullable=False),
    Column("seal_key", String(44), nullable=False),
    Column("claimed_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("answer", LargeBinary),
    Index(None, "host", "state"),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(26), primary_key=True),
    Column("runbook", String(200), nullable=False),
    Column("runbook_sha256", String(64), nullable=False),
    Column("source", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("secrets", Text, nullable=False),
    Column("operator", String(200), nullable=False),
    Column("via", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("check", Boolean(create_constraint=False), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("timeout_ms", BigInteger, nullable=False),
    Column("people", Integer, nullable=False),
    Column("schedule", String(200)),
    Column("slot", BigInteger),
    UniqueConstraint("schedule", "slot"),
)

host_runs = Table(
    "host_runs",
    metadata,
    Column("run_id", String(26), ForeignKey("runs.run_id"), primary_key=True),
    Column("host", String(63), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("order_sha256", String(64), nullable=False, unique=True),
    Column("expires_at", BigInteger, nullable=False),
    Column("outcome", String(20)),
    Column("reason", Text, nullable=False),
    Column("offered_at", BigInteger),
    Column("publishes", Integer, nullable=False),
    Column("next_publish_at", BigInteger, nullable=False),
    Column("pause_ms", BigInteger, nullable=False),
    Column("accepted_at", BigInteger),
    Column("deadline_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("awaits", Integer, nullable=False),
    Column("cancel_sha256", String(64), unique=True),
    Column("cancel_kill", Boolean(create_constraint=False)),
    Column("cancel_until", BigInteger),
    Column("cancel_answered_at", BigInteger),
    Column("reported_at", BigInteger),
    Column("report", Text),
    Index(None, "state", "next_publish_at"),
    Index(None, "host", "run_id"),
    # All that a list of runs counts: it reads no row of the table.
    Index(None, "run_id", "state", "outcome", "awaits", "cancel_kill"),
)

# Append-only: triggers made by the migration refuse UPDATE and DELETE.
envelopes = Table(
    "envelopes",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("run_id", String(26)),
    Column("host", String(63), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("data", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "run_id"),
    Index(None, "host", "seq"),
    sqlite_autoincrement=True,
)

services = Table(
    "services",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("beat_at", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
)

pings = Table(
    "pings",
    metadata,
    Column("nonce", String(32), primary_key=True),
    Column("host", String(63), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("publishes", Integer, nullable=False),
    Column("next_publish_at", BigInteger, nullable=False),
    Column("ponged_at", BigInteger),
    Column("waiting", Integer),
    Column("worker", String(200), nullable=False),
)

# Unsigned words of couriers, and our questions: hints, on which nothing else depends.
presences = Table(
    "presences",
    metadata,
    Column("host", String(63), primary_key=True),
    Column("due_at", BigInteger, nullable=False),
    Column("nonce", String(32), nullable=False),
    Column("asked_at", BigInteger),
    Column("open_since", BigInteger),
    Column("lying", Integer, nullable=False),
    Column("answered_at", BigInteger),
    Column("skew_ms", BigInteger, nullable=False),
    Column("worker", String(50), nullable=False),
    Column("inbox", Integer, nullable=False),
    Column("outbox", Integer, nullable=False),
    Column("taking", Boolean(create_constraint=False), nullable=False),
    Column("signed_skew_ms", BigInteger, nullable=False),
    Column("signed_skew_at", BigInteger),
    Index(None, "due_at"),
)

# The newest word of each certificate; `key` stands for its path and endpoint.
certificates = Table(
    "certificates",
    metadata,
    Column("host", String(63), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("observed_at", BigInteger, nullable=False),
    Column("run_id", String(26), nullable=False),
    Column("fact", Text, nullable=False),
)

# When the newest complete scan of a host began: what scans found before it and not since is gone.
certificate_scans = Table(
    "certificate_scans",
    metadata,
    Column("host", String(63), primary_key=True),
    Column("began_at", BigInteger, nullable=False),
)

# Encrypted with a key that is not here; name, setter and time are bound into the encryption.
secrets = Table(
    "secrets",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("key_id", String(16), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("set_by", String(200), nullable=False),
    Column("set_at", BigInteger, nullable=False),
)

firings = Table(
    "firings",
    metadata,
    Column("schedule", String(200), primary_key=True),
    Column("slot", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("run_id", String(26), ForeignKey("runs.run_id")),
    Column("error", Text, nullable=False),
    CheckConstraint("run_id IS NOT NULL OR error <> ''", name="has_result"),
)
