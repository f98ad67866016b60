"""Strategies, their versions, backtests."""

import sqlalchemy as sa
from alembic import op

from cashup.runtime import db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "backtests",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("strategy_id", sa.String(length=26), nullable=False),
        sa.Column("strategy_name", sa.String(length=80), nullable=False),
        sa.Column("strategy_version", sa.Integer(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("statistics", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("isolation", sa.JSON(), nullable=False),
        sa.Column("total_return", sa.Double(), nullable=True),
        sa.Column("sharpe", sa.Double(), nullable=True),
        sa.Column("max_drawdown", sa.Double(), nullable=True),
        sa.Column("trades", sa.Integer(), nullable=True),
        sa.Column("created_at", db.Utc(timezone=True), nullable=False),
        sa.Column("started_at", db.Utc(timezone=True), nullable=True),
        sa.Column("finished_at", db.Utc(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backtests")),
    )
    with op.batch_alter_table("backtests", schema=None) as batch_op:
        batch_op.create_index("ix_backtests_status_id", ["status", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_backtests_strategy_id"), ["strategy_id"], unique=False)
        batch_op.create_index("ix_backtests_user_id_id", ["user_id", "id"], unique=False)

    op.create_table(
        "strategies",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("created_at", db.Utc(timezone=True), nullable=False),
        sa.Column("updated_at", db.Utc(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategies")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_strategies_user_id_name")),
    )
    with op.batch_alter_table("strategies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_strategies_user_id"), ["user_id"], unique=False)

    op.create_table(
        "strategy_versions",
        sa.Column("strategy_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("outline", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", db.Utc(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["strategy_id"], ["strategies.id"], name=op.f("fk_strategy_versions_strategy_id_strategies")
        ),
        sa.PrimaryKeyConstraint("strategy_id", "number", name=op.f("pk_strategy_versions")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("strategy_versions")
    with op.batch_alter_table("strategies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_strategies_user_id"))

    op.drop_table("strategies")
    with op.batch_alter_table("backtests", schema=None) as batch_op:
        batch_op.drop_index("ix_backtests_user_id_id")
        batch_op.drop_index(batch_op.f("ix_backtests_strategy_id"))
        batch_op.drop_index("ix_backtests_status_id")

    op.drop_table("backtests")
