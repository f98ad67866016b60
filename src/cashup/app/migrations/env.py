"""How Alembic runs: on the connection it is given, against the tables of all services."""

from alembic import context

from cashup.app.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata(),
    render_as_batch=True,
    compare_type=True,
    user_module_prefix="db.",
)
with context.begin_transaction():
    context.run_migrations()
