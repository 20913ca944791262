"""The record cannot be changed through the database either: every append-only table refuses UPDATE, DELETE, REPLACE
and TRUNCATE."""

import hashlib
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from governance.audit.append_only import AppendOnly, models_of
from governance.audit.models import Event
from tests.conftest import Institution
from workflows.proposals.models import Attachment, Comment, Proposal, Revision
from workflows.review import actions
from workflows.review.models import Condition, Decision, WorkItem

pytestmark = pytest.mark.django_db

PROTECTED = [(model, rule) for config in apps.get_app_configs() for model, rule in models_of(config)]


@pytest.fixture
def filled(institution: Institution) -> Institution:
    """A history with at least a row in most protected tables."""
    proposal = institution.submitted()
    actions.comment(actor=proposal.author, proposal=proposal, audience="everyone", text="The fee is confirmed.")
    institution.approve(proposal, conditions=[actions.NewCondition(text="Finance confirms the fee.")])
    # PostgreSQL truncates no table whose foreign keys are still to be checked.
    connection.check_constraints()
    return institution


def refused(sql: str, *values: object) -> bool:
    """Whether the database refuses the statement because the table is append-only."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
    except DatabaseError as error:
        return "append-only" in str(error)
    return False


def test_the_tables_that_governance_needs_are_protected() -> None:
    names = {model for model, _rule in PROTECTED}
    assert {Event, Proposal, Revision, Attachment, Comment, WorkItem, Decision, Condition} <= names


@pytest.mark.parametrize(("model", "rule"), PROTECTED, ids=lambda value: getattr(value, "__name__", ""))
def test_delete_is_refused(filled: Institution, model: type[Model], rule: AppendOnly) -> None:
    if not rule.deletable_when and model._default_manager.exists():
        assert refused(f'DELETE FROM "{model._meta.db_table}"')
    if connection.vendor == "postgresql":
        assert refused(f'TRUNCATE "{model._meta.db_table}" CASCADE')


@pytest.mark.parametrize(("model", "rule"), PROTECTED, ids=lambda value: getattr(value, "__name__", ""))
def test_update_of_what_is_frozen_is_refused(filled: Institution, model: type[Model], rule: AppendOnly) -> None:
    if rule.frozen_when or not model._default_manager.exists():
        pytest.skip("frozen by a condition, tested with its own app")
    columns = rule.frozen or tuple(field.column for field in model._meta.local_concrete_fields)
    for column in columns:
        field = next(field for field in model._meta.local_concrete_fields if field.column == column)
        if column == "id":
            continue
        value = changed_value(field.get_internal_type())
        assert refused(f'UPDATE "{model._meta.db_table}" SET "{column}" = %s', value), column


def changed_value(kind: str) -> Any:
    if "DateTime" in kind:
        return "2001-01-01 00:00:00+00:00"
    if "Date" in kind:
        return "2001-01-01"
    if "Integer" in kind or kind in {"ForeignKey", "OneToOneField", "BigAutoField"}:
        return 987654
    if kind == "BinaryField":
        return b"changed"
    return '"changed"' if kind == "JSONField" else "changed"


def test_replace_cannot_go_round_the_triggers(filled: Institution) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("REPLACE is SQLite's")
    event = Event.objects.earliest("id")
    columns = ", ".join(f'"{field.column}"' for field in Event._meta.local_concrete_fields)
    assert refused(f"REPLACE INTO audit_event ({columns}) SELECT {columns} FROM audit_event WHERE id = %s", event.pk)
    other = columns.replace('"id", ', "")
    assert refused(f"REPLACE INTO audit_event ({other}) SELECT {other} FROM audit_event WHERE id = %s", event.pk)


def test_a_closed_work_item_cannot_be_changed(filled: Institution) -> None:
    closed = WorkItem.objects.exclude(closed_at=None).earliest("id")
    assert refused("UPDATE review_workitem SET closing = 'decline' WHERE id = %s", closed.pk)


def test_an_adopted_policy_version_cannot_be_changed(institution: Institution) -> None:
    for column in ("text", "rules", "digest", "motion", "status"):
        assert refused(f"UPDATE policies_policyversion SET {column} = 'changed'")
    assert refused("DELETE FROM policies_policyversion")


def test_an_events_leaf_is_the_hash_of_its_body(filled: Institution) -> None:
    for event in Event.objects.all():
        assert bytes(event.leaf) == hashlib.sha256(b"\x00" + bytes(event.body)).digest()
        assert event.sentence
