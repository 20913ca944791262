"""What PostgreSQL should let the web server's own role do: what an act needs, and nothing that rewrites the record.

The tables belong to another role, which migrates. Only an owner can drop a trigger or empty a table, so who breaks into
the web server finds the record as closed as anybody else does.
"""

from collections.abc import Iterator

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from governance.audit.append_only import AppendOnly


def grants(connection: BaseDatabaseWrapper, role: str) -> list[str]:
    """The SQL that gives `role` what Assent needs, and takes everything else away from it. May be run again."""
    name = connection.ops.quote_name(role)
    schema = connection.ops.quote_name("public")
    return [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {name}",
        f"GRANT USAGE ON SCHEMA {schema} TO {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {name}",
        *(
            f"GRANT {rights} ON {connection.ops.quote_name(model._meta.db_table)} TO {name}"
            for model in _stored_models()
            for rights in _rights(model, connection)
        ),
    ]


def _stored_models() -> Iterator[type[Model]]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield model


def _rights(model: type[Model], connection: BaseDatabaseWrapper) -> Iterator[str]:
    yield "SELECT, INSERT"
    rule = getattr(model, "append_only", None)
    if not isinstance(rule, AppendOnly):
        yield "UPDATE, DELETE"
        return
    if rule.frozen_when:
        # Such a row may change until it is closed: which of its columns, only the trigger can tell.
        yield "UPDATE"
    elif changeable := _changeable(model, rule):
        yield f"UPDATE ({', '.join(map(connection.ops.quote_name, changeable))})"
    if rule.deletable_when:
        yield "DELETE"


def _changeable(model: type[Model], rule: AppendOnly) -> list[str]:
    """The columns that an UPDATE may name."""
    columns = [field.column for field in model._meta.local_concrete_fields if not field.primary_key]
    open_columns = [column for column in columns if column not in rule.frozen] if rule.frozen else []
    return [column for column in columns if column in open_columns or column in rule.erasable]
