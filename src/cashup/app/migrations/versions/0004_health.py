"""Health probes."""

import sqlalchemy as sa
from alembic import op

from cashup.runtime import db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "health_probes",
        sa.Column("at", db.Utc(timezone=True), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("at", name=op.f("pk_health_probes")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("health_probes")
