"""Lists: indices by which runs are listed and counted, however many there are."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Exchange indices: run ids sort as the runs were made."""
    op.drop_index("ix_runs_created_at", "runs")
    op.drop_index("ix_host_runs_host_state", "host_runs")
    op.create_index("ix_host_runs_host_run_id", "host_runs", ["host", "run_id"])
    op.create_index(
        "ix_host_runs_run_id_state_outcome_awaits_cancel_kill",
        "host_runs",
        ["run_id", "state", "outcome", "awaits", "cancel_kill"],
    )
