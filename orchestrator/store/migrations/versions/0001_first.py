"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_MOMENT = sa.BigInteger
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")

_REFUSE_SQLITE = """
CREATE TRIGGER envelopes_no_{verb} BEFORE {verb} ON envelopes
BEGIN SELECT RAISE(ABORT, 'envelopes are append-only'); END
"""
_REFUSE_POSTGRESQL = (
    """
CREATE FUNCTION envelopes_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'envelopes are append-only'; END $$
""",
    """
CREATE TRIGGER envelopes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON envelopes
FOR EACH STATEMENT EXECUTE FUNCTION envelopes_refuse()
""",
)


def upgrade() -> None:
    """Make every table, and the triggers that keep letters from being changed."""
    _make_hosts()
    _make_keyrings()
    _make_runs()
    _make_host_runs()
    _make_envelopes()
    _make_services()
    _make_broker_users()
    _make_pings()
    _make_presences()
    _make_certificates()
    _make_secrets()
    _make_firings()
    _refuse_changes()


def _make_hosts() -> None:
    op.create_table(
        "hosts",
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("sign_key", sa.String(44), nullable=False),
        sa.Column("seal_key", sa.String(44), nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("last_signed_at", _MOMENT),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("admission", sa.LargeBinary, nullable=False),
        sa.Column("admission_at", _MOMENT, nullable=False),
        sa.Column("admitted_at", _MOMENT, nullable=False),
        sa.Column("keyring", sa.BigInteger, nullable=False),
        sa.Column("follow_at", _MOMENT, nullable=False),
        sa.Column("follow_pause_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_hosts"),
    )
    op.create_index("ix_hosts_follow_at", "hosts", ["follow_at"])
    op.create_table(
        "host_keys",
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("host", sa.String(63), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("sign_key", sa.String(44), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT),
        sa.PrimaryKeyConstraint("key_id", name="pk_host_keys"),
    )


def _make_keyrings() -> None:
    op.create_table(
        "keyrings",
        sa.Column("version", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_keyrings"),
        sa.UniqueConstraint("digest", name="uq_keyrings_digest"),
    )


def _make_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(26), nullable=False),
        sa.Column("runbook", sa.String(200), nullable=False),
        sa.Column("runbook_sha256", sa.String(64), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("secrets", sa.Text, nullable=False),
        sa.Column("operator", sa.String(200), nullable=False),
        sa.Column("via", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("check", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("timeout_ms", _MOMENT, nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("schedule", sa.String(200)),
        sa.Column("slot", _MOMENT),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
        sa.UniqueConstraint("schedule", "slot", name="uq_runs_schedule_slot"),
    )
    op.create_index("ix_runs_created_at", "runs", ["created_at"])


def _make_host_runs() -> None:
    op.create_table(
        "host_runs",
        sa.Column("run_id", sa.String(26), nullable=False),
        sa.Column("host", sa.String(63), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("order_sha256", sa.String(64), nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("outcome", sa.String(20)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("offered_at", _MOMENT),
        sa.Column("publishes", sa.Integer, nullable=False),
        sa.Column("next_publish_at", _MOMENT, nullable=False),
        sa.Column("pause_ms", _MOMENT, nullable=False),
        sa.Column("accepted_at", _MOMENT),
        sa.Column("deadline_at", _MOMENT),
        sa.Column("ended_at", _MOMENT),
        sa.Column("awaits", sa.Integer, nullable=False),
        sa.Column("cancel_sha256", sa.String(64)),
        sa.Column("cancel_kill", sa.Boolean(create_constraint=False)),
        sa.Column("cancel_until", _MOMENT),
        sa.Column("cancel_answered_at", _MOMENT),
        sa.Column("reported_at", _MOMENT),
        sa.Column("report", sa.Text),
        sa.PrimaryKeyConstraint("run_id", "host", name="pk_host_runs"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_host_runs_run_id"),
        sa.UniqueConstraint("order_sha256", name="uq_host_runs_order_sha256"),
        sa.UniqueConstraint("cancel_sha256", name="uq_host_runs_cancel_sha256"),
    )
    op.create_index("ix_host_runs_state_next_publish_at", "host_runs", ["state", "next_publish_at"])
    op.create_index("ix_host_runs_host_state", "host_runs", ["host", "state"])


def _make_envelopes() -> None:
    op.create_table(
        "envelopes",
        sa.Column("seq", _SEQUENCE, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("run_id", sa.String(26)),
        sa.Column("host", sa.String(63), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_envelopes"),
        sa.UniqueConstraint("digest", name="uq_envelopes_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_envelopes_run_id", "envelopes", ["run_id"])
    op.create_index("ix_envelopes_host_seq", "envelopes", ["host", "seq"])


def _make_services() -> None:
    op.create_table(
        "services",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("beat_at", _MOMENT, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_services"),
    )


def _make_broker_users() -> None:
    op.create_table(
        "broker_users",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_broker_users"),
    )


def _make_pings() -> None:
    op.create_table(
        "pings",
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("host", sa.String(63), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("publishes", sa.Integer, nullable=False),
        sa.Column("next_publish_at", _MOMENT, nullable=False),
        sa.Column("ponged_at", _MOMENT),
        sa.Column("waiting", sa.Integer),
        sa.Column("worker", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name="pk_pings"),
        sa.UniqueConstraint("digest", name="uq_pings_digest"),
    )


def _make_presences() -> None:
    op.create_table(
        "presences",
        sa.Column("host", sa.String(63), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("asked_at", _MOMENT),
        sa.Column("open_since", _MOMENT),
        sa.Column("lying", sa.Integer, nullable=False),
        sa.Column("answered_at", _MOMENT),
        sa.Column("skew_ms", _MOMENT, nullable=False),
        sa.Column("worker", sa.String(50), nullable=False),
        sa.Column("inbox", sa.Integer, nullable=False),
        sa.Column("outbox", sa.Integer, nullable=False),
        sa.Column("taking", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("signed_skew_ms", _MOMENT, nullable=False),
        sa.Column("signed_skew_at", _MOMENT),
        sa.PrimaryKeyConstraint("host", name="pk_presences"),
    )
    op.create_index("ix_presences_due_at", "presences", ["due_at"])


def _make_certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("host", sa.String(63), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("observed_at", _MOMENT, nullable=False),
        sa.Column("run_id", sa.String(26), nullable=False),
        sa.Column("fact", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("host", "key", name="pk_certificates"),
    )
    op.create_table(
        "certificate_scans",
        sa.Column("host", sa.String(63), nullable=False),
        sa.Column("began_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_certificate_scans"),
    )


def _make_secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("set_by", sa.String(200), nullable=False),
        sa.Column("set_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secrets"),
    )


def _make_firings() -> None:
    op.create_table(
        "firings",
        sa.Column("schedule", sa.String(200), nullable=False),
        sa.Column("slot", _MOMENT, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("run_id", sa.String(26)),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("schedule", "slot", name="pk_firings"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_firings_run_id"),
        sa.CheckConstraint("run_id IS NOT NULL OR error <> ''", name="ck_firings_has_result"),
    )


def _refuse_changes() -> None:
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(_REFUSE_SQLITE.format(verb=verb))
    elif op.get_context().dialect.name == "postgresql":
        for statement in _REFUSE_POSTGRESQL:
            op.execute(statement)
