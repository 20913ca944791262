"""The web server's role on PostgreSQL can do every act, and cannot touch what was recorded, triggers or no triggers."""

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from governance.audit.actions import seal_and_sign
from governance.audit.models import Event
from governance.audit.roles import grants
from tests.conftest import Institution, drop_triggers
from workflows.memos.actions import issue
from workflows.proposals.states import State
from workflows.review import actions

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
ROLE = "assent_web_of_a_test"


@pytest.fixture
def web_role(institution: Institution) -> Iterator[Institution]:
    """From here on, this connection is the web server's. The role goes with the test's transaction."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles")
    # What waits to be checked would hinder the triggers being dropped.
    connection.check_constraints()
    drop_triggers()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE}")
        for statement in grants(connection, ROLE):
            cursor.execute(statement)
        cursor.execute(f"SET ROLE {ROLE}")
        yield institution
        cursor.execute("RESET ROLE")


def denied(sql: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    except DatabaseError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


def test_every_act_of_a_proposals_life_can_be_done(web_role: Institution) -> None:
    proposal = web_role.submitted()
    actions.comment(actor=proposal.author, proposal=proposal, audience="everyone", text="The fee is confirmed.")
    web_role.return_for_changes(proposal)
    proposal.refresh_from_db()
    actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    decision = web_role.approve(proposal, conditions=[actions.NewCondition(text="Finance confirms the fee.")])
    assert issue(decision_id=decision.pk).number
    while (proposal := type(proposal).objects.get(pk=proposal.pk)).state == State.IN_REVIEW:
        web_role.approve(proposal)
    assert proposal.state == State.APPROVED
    checkpoint = seal_and_sign(now=True)
    assert checkpoint is not None and checkpoint.size == Event.objects.count()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_event SET body = ''",
        "UPDATE audit_event SET verb = 'decision.declined'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event CASCADE",
        "UPDATE audit_checkpoint SET size = size + 1",
        "DELETE FROM audit_leaf",
        "UPDATE audit_tile SET root = ''",
        "UPDATE review_decision SET outcome = 'decline'",
        "UPDATE review_decision SET reasons = ''",
        "DELETE FROM review_decision",
        "UPDATE people_mandate SET starts_on = '2001-01-01'",
        "DELETE FROM people_mandate",
        "UPDATE proposals_revision SET digest = ''",
        "UPDATE proposals_comment SET at = now()",
        "UPDATE memos_memo SET digest = ''",
        "DELETE FROM policies_policyversion",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "DROP TABLE audit_event CASCADE",
        "CREATE OR REPLACE FUNCTION assent_append_only() RETURNS trigger LANGUAGE sql AS ''",
    ],
)
def test_nothing_that_was_recorded_can_be_touched(web_role: Institution, sql: str) -> None:
    assert denied(sql)


def test_the_command_prints_the_sql(capsys: pytest.CaptureFixture[str]) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles")
    call_command("audit", "grants", "assent_web")
    printed = capsys.readouterr().out
    assert 'GRANT SELECT, INSERT ON "audit_event" TO "assent_web";' in printed
    assert 'GRANT UPDATE ("actor_name") ON "audit_event"' in printed
    with pytest.raises(CommandError, match="no name for a role"):
        call_command("audit", "grants", "web; DROP TABLE audit_event")
