"""Databases of the benchmark's own, made empty and thrown away afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def current(database: BaseDatabaseWrapper) -> Iterator[None]:
    """Everything inside asks this database."""
    before = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = database
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = before
        ContentType.objects.clear_cache()


@contextmanager
def scratch_database(name: str, folder: Path) -> Iterator[BaseDatabaseWrapper]:
    """A migrated database beside the configured one: a file in `folder`, or a database on the same server."""
    configured = connections[DEFAULT_DB_ALIAS]
    if configured.vendor == "sqlite":
        database = _beside(configured, str(folder / f"{name}.sqlite3"))
        with _migrated(database):
            yield database
        return
    name = f"assent_bench_{os.getpid()}_{name}".replace("-", "_")
    server = _beside(configured, "postgres")
    try:
        _execute(server, f"CREATE DATABASE {server.ops.quote_name(name)}")
        try:
            database = _beside(configured, name)
            with _migrated(database):
                yield database
        finally:
            _execute(server, f"DROP DATABASE {server.ops.quote_name(name)} WITH (FORCE)")
    finally:
        server.close()


def backend_of(database: BaseDatabaseWrapper) -> list[int]:
    """The process of the database that serves this connection, where it is one on this machine."""
    if database.vendor != "postgresql":
        return []
    database.ensure_connection()
    assert database.connection is not None
    pid: int = database.connection.info.backend_pid
    command = Path(f"/proc/{pid}/comm")
    return [pid] if command.exists() and command.read_text().startswith("postgres") else []


def another_connection(database: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """One more connection to the same database, for a process of its own."""
    return _beside(database, database.settings_dict["NAME"])


def _beside(configured: BaseDatabaseWrapper, name: str) -> BaseDatabaseWrapper:
    given = configured.settings_dict | {"NAME": name, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False}
    return type(configured)(given, DEFAULT_DB_ALIAS)


@contextmanager
def _migrated(database: BaseDatabaseWrapper) -> Iterator[None]:
    try:
        with current(database):
            call_command("migrate", verbosity=0, interactive=False)
        yield
    finally:
        database.close()


def _execute(server: BaseDatabaseWrapper, statement: str) -> None:
    with server.cursor() as cursor:
        cursor.execute(statement)
