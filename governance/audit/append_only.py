"""The database's own refusal to change or delete what was recorded.

A model declares `append_only = AppendOnly(...)`; triggers on SQLite and PostgreSQL then refuse UPDATE, DELETE and
TRUNCATE whoever asks, the admin pages and a shell included. They are put back after every migration, because SQLite
drops a table's triggers whenever a migration rebuilds the table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model


@dataclass(frozen=True)
class AppendOnly:
    """What the database refuses for a table, in SQL conditions over the OLD row.

    `unique` names the column groups, beside the key, under which SQLite's REPLACE would delete a row without a trigger.
    `frozen` names the columns that may not change; empty means none may.
    `frozen_when` says for which rows that holds, such as "OLD.status <> 'draft'"; empty means all.
    `refused_when` is a further condition, over the OLD and the NEW row, under which a change is refused.
    `deletable_when` says which rows may still be deleted; empty means none.
    `erasable` names text columns of personal data: they may be emptied for good, and never changed otherwise.
    """

    unique: tuple[tuple[str, ...], ...] = ()
    frozen: tuple[str, ...] = ()
    frozen_when: str = ""
    refused_when: str = ""
    deletable_when: str = ""
    erasable: tuple[str, ...] = ()

    @property
    def kept_when(self) -> str:
        return f"NOT ({self.deletable_when})" if self.deletable_when else ""


def models_of(app_config: AppConfig) -> Iterator[tuple[type[Model], AppendOnly]]:
    for model in app_config.get_models():
        rule = getattr(model, "append_only", None)
        if isinstance(rule, AppendOnly):
            yield model, rule


def install_for_app(sender: AppConfig, using: str, **_: Any) -> None:
    """Put the triggers of an app's append-only tables in place, replacing any of the same name."""
    connection = connections[using]
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model, rule in models_of(sender):
            if model._meta.db_table in existing:
                for statement in statements(connection, model, rule):
                    cursor.execute(statement)


def statements(connection: BaseDatabaseWrapper, model: type[Model], rule: AppendOnly) -> list[str]:
    """The SQL that protects a model's table on this connection's database. Raises NotImplementedError for another
    vendor."""
    if connection.vendor == "sqlite":
        return _sqlite(model, rule)
    if connection.vendor == "postgresql":
        return _postgresql(model, rule)
    raise NotImplementedError(f"append-only tables need SQLite or PostgreSQL, not {connection.vendor}")


def _changed(model: type[Model], rule: AppendOnly, operator: str) -> str:
    """Whether an UPDATE touches what is frozen; nothing where every column is."""
    if not rule.erasable:
        return " OR ".join(f'OLD."{column}" {operator} NEW."{column}"' for column in rule.frozen)
    frozen = rule.frozen or tuple(field.column for field in model._meta.local_concrete_fields)
    kept = [f'OLD."{column}" {operator} NEW."{column}"' for column in frozen if column not in rule.erasable]
    emptied = [f"""OLD."{column}" {operator} NEW."{column}" AND NEW."{column}" <> ''""" for column in rule.erasable]
    return " OR ".join([*kept, *emptied])


def _condition(*parts: str, also: str = "") -> str:
    """The trigger's WHEN: all of the parts, or else the one condition after them; nothing when it always fires."""
    wanted = [f"({part})" for part in parts if part]
    if not wanted:
        return ""
    return f"WHEN (({' AND '.join(wanted)}){f' OR ({also})' if also else ''})"


def _sqlite(model: type[Model], rule: AppendOnly) -> list[str]:
    table, key = model._meta.db_table, model._meta.pk.column
    refusal = f"SELECT RAISE(ABORT, '{table} is append-only');"
    condition = _condition(rule.frozen_when, _changed(model, rule, "IS NOT"), also=rule.refused_when)
    existing = " OR ".join(
        "(" + " AND ".join(f'"{column}" = NEW."{column}"' for column in group) + ")" for group in ((key,), *rule.unique)
    )
    triggers = {
        "no_update": f'BEFORE UPDATE ON "{table}" {condition}',
        "no_delete": f'BEFORE DELETE ON "{table}" {_condition(rule.kept_when)}',
        # REPLACE deletes the old row without firing its delete trigger.
        "no_replace": f'BEFORE INSERT ON "{table}" WHEN EXISTS (SELECT 1 FROM "{table}" WHERE {existing})',
    }
    return [
        statement
        for name, head in triggers.items()
        for statement in (
            f'DROP TRIGGER IF EXISTS "{table}_{name}"',
            f'CREATE TRIGGER "{table}_{name}" {head} BEGIN {refusal} END',
        )
    ]


def _postgresql(model: type[Model], rule: AppendOnly) -> list[str]:
    table, changed = model._meta.db_table, _changed(model, rule, "IS DISTINCT FROM")
    condition = _condition(rule.frozen_when, changed, also=rule.refused_when)
    triggers = {
        "no_update": f'BEFORE UPDATE ON "{table}" FOR EACH ROW {condition}',
        "no_delete": f'BEFORE DELETE ON "{table}" FOR EACH ROW {_condition(rule.kept_when)}',
        "no_truncate": f'BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT',
    }
    return [
        "CREATE OR REPLACE FUNCTION assent_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
        *(
            statement
            for name, head in triggers.items()
            for statement in (
                f'DROP TRIGGER IF EXISTS "{table}_{name}" ON "{table}"',
                f'CREATE TRIGGER "{table}_{name}" {head} EXECUTE FUNCTION assent_append_only()',
            )
        ),
    ]
