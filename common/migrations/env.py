"""Alembic's entry point. It always runs over the connection that `common.db` opened; there is no offline mode."""

from alembic import context

from common.db import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
