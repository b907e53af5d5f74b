"""Alembic's entry: runs on the connection that the program hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"],
                  target_metadata=context.config.attributes["metadata"], render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
