"""How each row of the record is told, to the verifier and to outsiders; `docs/record.md` says it to them."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from governance.audit.models import PersonalDatum
from governance.people.models import Body, Mandate, Unit, User
from governance.policies.models import PolicyVersion
from workflows.proposals.models import Comment, Revision
from workflows.proposals.states import State

Row = dict[str, Any]


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def person_rows(people: list[User]) -> Iterator[Row]:
    values: dict[str, list[str]] = {person.record_key: [] for person in people}
    for datum in PersonalDatum.objects.filter(person__in=list(values)).order_by("pk"):
        values[datum.person].append(datum.value)
    for person in people:
        yield {
            "person": person.record_key,
            "salt": b64encode(bytes(person.salt)).decode(),
            "values": values[person.record_key],
            "name": person.name,
            "title": person.title,
            "active": person.is_active,
            "administrator": person.is_staff or person.is_superuser,
        }


def unit_row(unit: Unit) -> Row:
    return {
        "unit": unit.code,
        "name": unit.name,
        "kind": unit.kind,
        "parent": unit.parent.code if unit.parent else None,
    }


def body_row(body: Body) -> Row:
    return {"body": body.code, "kind": body.kind, "name": body.name, "unit": body.unit.code}


def mandate_row(mandate: Mandate) -> Row:
    return {
        "person": f"person/{mandate.user_id}",
        "body": mandate.body.code,
        "duty": mandate.duty,
        "starts_on": mandate.starts_on.isoformat(),
        "ends_on": mandate.ends_on.isoformat() if mandate.ends_on else None,
    }


def policy_row(version: PolicyVersion) -> Row:
    return {
        "policy": version.policy.key,
        "number": version.number,
        "label": version.label,
        "status": version.status,
        "text": version.text,
        "rules": version.rules,
        "digest": version.digest,
        "effective_from": version.effective_from.isoformat(),
        "adopted_at": _moment(version.adopted_at),
        "adopted_by": f"person/{version.adopted_by_id}" if version.adopted_by_id else None,
        "motion": version.motion,
    }


# The states in which a proposal's title is that of what was sent, and not of a draft that is the author's own.
AS_SENT: Final = frozenset({State.IN_REVIEW, State.APPROVED, State.DECLINED})


def proposal_row(proposal: Any) -> Row:
    is_as_sent = proposal.state in AS_SENT
    return {
        "proposal": proposal.reference,
        "action": proposal.action,
        "title": proposal.title if is_as_sent else None,
        "kind": proposal.kind if is_as_sent else None,
        "level": proposal.level if is_as_sent else None,
        "stages": sorted(item.stage_key for item in proposal.open_items),
        "unit": proposal.unit.code,
        "author": f"person/{proposal.author_id}",
        "state": proposal.state,
        "revision": proposal.revision_number,
        "version": proposal.version,
        "policy_version": proposal.policy_version.label if proposal.policy_version else None,
        "created_at": _moment(proposal.created_at),
        "ended_at": _moment(proposal.ended_at),
        "disposed_at": _moment(proposal.disposed_at),
    }


def revision_row(revision: Revision) -> Row:
    return {
        "proposal": revision.proposal.reference,
        "number": revision.number,
        "content": revision.content_text,
        "digest": revision.digest,
        "attachments": revision.attachments,
        "changed_fields": revision.changed_fields,
        "note": revision.note,
        "submitted_by": f"person/{revision.submitted_by_id}",
        "submitted_by_name": revision.submitted_by_name,
        "submitted_at": _moment(revision.submitted_at),
    }


def decision_row(decision: Any) -> Row:
    return {
        "proposal": decision.proposal.reference,
        "event": decision.event_index,
        "revision": decision.revision.number,
        "digest": decision.revision.digest,
        "policy_version": decision.policy_version.label,
        "stage": decision.stage_key,
        "stage_label": decision.stage_label,
        "effect": decision.effect,
        "outcome": decision.outcome,
        "to_stage": decision.to_stage,
        "to_stage_label": decision.to_stage_label,
        "seat": decision.body.code,
        "body_name": decision.body_name,
        "by": f"person/{decision.by_id}",
        "by_name": decision.by_name,
        "by_title": decision.by_title,
        "reasons": decision.reasons,
        "checklist": decision.checklist,
        "conditions": [
            {"text": each.text, "due_on": each.due_on.isoformat() if each.due_on else None, "owner": each.owner}
            for each in sorted(decision.conditions.all(), key=lambda one: one.number)
        ],
        "at": _moment(decision.at),
    }


def comment_row(comment: Comment) -> Row:
    return {
        "proposal": comment.proposal.reference,
        "comment": comment.pk,
        "audience": comment.audience,
        "section": comment.section,
        "author": f"person/{comment.author_id}",
        "author_name": comment.author_name,
        "author_title": comment.author_title,
        "revision": comment.revision_number,
        "text": comment.text,
        "salt": b64encode(bytes(comment.salt)).decode(),
        "at": _moment(comment.at),
    }


def memo_row(memo: Any) -> Row:
    return {
        "memo": memo.number,
        "proposal": memo.decision.proposal.reference,
        "decision": memo.event_index,
        "title": memo.title,
        "digest": memo.digest,
        "unsigned_digest": memo.unsigned_digest,
        "size": memo.size,
        "signed_by": memo.signed_by,
        "checkpoint": memo.checkpoint.size,
        "issued_at": _moment(memo.issued_at),
    }
