"""The closed vocabulary of the record: every verb an event may carry, and the sentence it makes on a timeline.

The list is closed so that a verifier outside can hold it: an event with any other verb was not written by Assent.
"""

from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Verb(StrEnum):
    PERSON_ADDED = "person.added"
    PERSON_CHANGED = "person.changed"
    UNIT_ADDED = "unit.added"
    UNIT_CHANGED = "unit.changed"
    BODY_CREATED = "body.created"
    BODY_CHANGED = "body.changed"
    MANDATE_GIVEN = "mandate.given"
    MANDATE_ENDED = "mandate.ended"
    POLICY_DRAFTED = "policy.drafted"
    POLICY_PROPOSED = "policy.proposed"
    POLICY_TAKEN_BACK = "policy.taken-back"
    POLICY_ADOPTED = "policy.adopted"
    POLICY_IN_FORCE = "policy.in-force"
    POLICY_SUPERSEDED = "policy.superseded"
    POLICY_WITHDRAWN = "policy.withdrawn"
    PROPOSAL_CREATED = "proposal.created"
    ATTACHMENT_ADDED = "attachment.added"
    ATTACHMENT_REMOVED = "attachment.removed"
    PROPOSAL_SUBMITTED = "proposal.submitted"
    PROPOSAL_RESUBMITTED = "proposal.resubmitted"
    PROPOSAL_WITHDRAWN = "proposal.withdrawn"
    PROPOSAL_MOVED = "proposal.moved"
    COMMENT_ADDED = "comment.added"
    DECISION_APPROVED = "decision.approved"
    DECISION_APPROVED_WITH_CONDITIONS = "decision.approved-with-conditions"
    DECISION_RETURNED = "decision.returned"
    DECISION_SENT_BACK = "decision.sent-back"
    DECISION_DECLINED = "decision.declined"
    STAGE_RECEIVED = "stage.received"
    MEMO_ISSUED = "memo.issued"
    DELIVERY_TRIED_AGAIN = "delivery.tried-again"
    KEY_INTRODUCED = "key.introduced"
    PERSON_ERASED = "person.erased"
    HOLD_PLACED = "hold.placed"
    HOLD_LIFTED = "hold.lifted"
    PROPOSAL_DISPOSED_OF = "proposal.disposed-of"
    ATTACHMENT_READ = "attachment.read"
    RECORD_EXPORTED = "record.exported"


# What each verb says on a page. The names in braces are those of `Event.sentence`.
SENTENCES: Final[dict[Verb, Promise]] = {
    Verb.PERSON_ADDED: _("{actor} added {name}."),
    Verb.PERSON_CHANGED: _("{actor} changed the details of {name}."),
    Verb.UNIT_ADDED: _("{actor} added the unit {name}."),
    Verb.UNIT_CHANGED: _("{actor} changed the details of {name}."),
    Verb.BODY_CHANGED: _("{actor} changed the details of {body}."),
    Verb.BODY_CREATED: _("{actor} set up {body}."),
    Verb.MANDATE_GIVEN: _("{actor} gave {name} the duty “{duty}” on {body}."),
    Verb.MANDATE_ENDED: _("{actor} ended the duty “{duty}” of {name} on {body}."),
    Verb.POLICY_DRAFTED: _("{actor} drafted {policy}."),
    Verb.POLICY_PROPOSED: _("{actor} proposed {policy} for adoption."),
    Verb.POLICY_TAKEN_BACK: _("{actor} took {policy} back to draft it further."),
    Verb.POLICY_ADOPTED: _("{actor} recorded the adoption of {policy}."),
    Verb.POLICY_IN_FORCE: _("{policy} came into force."),
    Verb.POLICY_SUPERSEDED: _("{policy} was superseded."),
    Verb.POLICY_WITHDRAWN: _("{actor} withdrew {policy}."),
    Verb.PROPOSAL_CREATED: _("{actor} started the draft."),
    Verb.ATTACHMENT_ADDED: _("{actor} attached “{name}”."),
    Verb.ATTACHMENT_REMOVED: _("{actor} took “{name}” out of the draft."),
    Verb.PROPOSAL_SUBMITTED: _("{actor} sent submission {revision} to {holder}."),
    Verb.PROPOSAL_RESUBMITTED: _("{actor} sent submission {revision} back to {holder}."),
    Verb.PROPOSAL_WITHDRAWN: _("{actor} withdrew the proposal."),
    Verb.PROPOSAL_MOVED: _("{actor} moved the proposal from {from_policy} to {policy}."),
    Verb.COMMENT_ADDED: _("{actor} wrote a comment."),
    Verb.DECISION_APPROVED: _("{actor} approved submission {revision} for {body}."),
    Verb.DECISION_APPROVED_WITH_CONDITIONS: _("{actor} approved submission {revision} with conditions for {body}."),
    Verb.DECISION_RETURNED: _("{actor} returned submission {revision} for changes, for {body}."),
    Verb.DECISION_SENT_BACK: _("{actor} returned submission {revision} to the stage “{to_stage}”, for {body}."),
    Verb.DECISION_DECLINED: _("{actor} declined submission {revision} for {body}."),
    Verb.STAGE_RECEIVED: _("{body} received submission {revision} for information."),
    Verb.MEMO_ISSUED: _("Memo {memo} was issued."),
    Verb.DELIVERY_TRIED_AGAIN: _("{actor} asked for another try of {task}."),
    Verb.KEY_INTRODUCED: _("A new key signs the record: {key}."),
    Verb.PERSON_ERASED: _("{actor} erased the personal data of {person}, under {authority}."),
    Verb.HOLD_PLACED: _("{actor} placed a legal hold on {name}."),
    Verb.HOLD_LIFTED: _("{actor} lifted the legal hold on {name}."),
    Verb.PROPOSAL_DISPOSED_OF: _("{actor} disposed of the contents of the proposal, under {authority}."),
    Verb.ATTACHMENT_READ: _("{actor} read the confidential file “{name}”."),
    Verb.RECORD_EXPORTED: _("{actor} exported the record: {scope}."),
}
