"""Alembic environment and revisions: one linear chain that runs on SQLite and PostgreSQL alike."""
