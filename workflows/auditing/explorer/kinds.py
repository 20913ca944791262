"""What the record's verbs, streams and fields are called on the explorer's pages.

Example: `decision.returned` is "Returned for changes", one of the "Decisions".
"""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from governance.audit.verbs import Verb

# Groups of verbs, in the order in which the filter offers them: key, name, and each verb in words.
KINDS: Final[dict[str, tuple[Promise, dict[Verb, Promise]]]] = {
    "decisions": (
        _("Decisions"),
        {
            Verb.DECISION_APPROVED: pgettext_lazy("event", "Approved"),
            Verb.DECISION_APPROVED_WITH_CONDITIONS: pgettext_lazy("event", "Approved with conditions"),
            Verb.DECISION_RETURNED: pgettext_lazy("event", "Returned for changes"),
            Verb.DECISION_SENT_BACK: pgettext_lazy("event", "Returned to an earlier stage"),
            Verb.DECISION_DECLINED: pgettext_lazy("event", "Declined"),
            Verb.MEMO_ISSUED: pgettext_lazy("event", "Memo issued"),
        },
    ),
    "proposals": (
        _("Proposals"),
        {
            Verb.PROPOSAL_CREATED: pgettext_lazy("event", "Draft started"),
            Verb.ATTACHMENT_ADDED: pgettext_lazy("event", "File attached"),
            Verb.ATTACHMENT_REMOVED: pgettext_lazy("event", "File taken out"),
            Verb.PROPOSAL_SUBMITTED: pgettext_lazy("event", "Sent for the first time"),
            Verb.PROPOSAL_RESUBMITTED: pgettext_lazy("event", "Sent again"),
            Verb.STAGE_RECEIVED: pgettext_lazy("event", "Received for information"),
            Verb.COMMENT_ADDED: pgettext_lazy("event", "Comment written"),
            Verb.PROPOSAL_MOVED: pgettext_lazy("event", "Moved to another policy version"),
            Verb.PROPOSAL_WITHDRAWN: pgettext_lazy("event", "Withdrawn"),
        },
    ),
    "policy": (
        _("Policy"),
        {
            Verb.POLICY_DRAFTED: pgettext_lazy("event", "Version drafted"),
            Verb.POLICY_PROPOSED: pgettext_lazy("event", "Version proposed"),
            Verb.POLICY_TAKEN_BACK: pgettext_lazy("event", "Version taken back"),
            Verb.POLICY_ADOPTED: pgettext_lazy("event", "Version adopted"),
            Verb.POLICY_IN_FORCE: pgettext_lazy("event", "Version came into force"),
            Verb.POLICY_SUPERSEDED: pgettext_lazy("event", "Version superseded"),
            Verb.POLICY_WITHDRAWN: pgettext_lazy("event", "Version withdrawn"),
        },
    ),
    "people": (
        _("People, bodies and mandates"),
        {
            Verb.MANDATE_GIVEN: pgettext_lazy("event", "Duty given"),
            Verb.MANDATE_ENDED: pgettext_lazy("event", "Duty ended"),
            Verb.PERSON_ADDED: pgettext_lazy("event", "Person added"),
            Verb.PERSON_CHANGED: pgettext_lazy("event", "Person’s details changed"),
            Verb.BODY_CREATED: pgettext_lazy("event", "Body set up"),
            Verb.BODY_CHANGED: pgettext_lazy("event", "Body’s details changed"),
            Verb.UNIT_ADDED: pgettext_lazy("event", "Unit added"),
            Verb.UNIT_CHANGED: pgettext_lazy("event", "Unit’s details changed"),
        },
    ),
    "record": (
        _("The record itself"),
        {
            Verb.RECORD_EXPORTED: pgettext_lazy("event", "Record exported"),
            Verb.ATTACHMENT_READ: pgettext_lazy("event", "Confidential file read"),
            Verb.PERSON_ERASED: pgettext_lazy("event", "Personal data erased"),
            Verb.PROPOSAL_DISPOSED_OF: pgettext_lazy("event", "Contents disposed of"),
            Verb.HOLD_PLACED: pgettext_lazy("event", "Legal hold placed"),
            Verb.HOLD_LIFTED: pgettext_lazy("event", "Legal hold lifted"),
            Verb.KEY_INTRODUCED: pgettext_lazy("event", "Key introduced"),
            Verb.DELIVERY_TRIED_AGAIN: pgettext_lazy("event", "Delivery tried again"),
        },
    ),
}
WORDS: Final[dict[Verb, Promise]] = {verb: said for _name, verbs in KINDS.values() for verb, said in verbs.items()}

# What stands before the first slash of a stream's name, in words.
STREAMS: Final[dict[str, Promise]] = {
    "proposal": pgettext_lazy("stream", "Proposal"),
    "access": pgettext_lazy("stream", "Files of"),
    "policy": pgettext_lazy("stream", "Policy"),
    "body": pgettext_lazy("stream", "Body"),
    "unit": pgettext_lazy("stream", "Unit"),
    "person": pgettext_lazy("stream", "Person"),
    "delivery": pgettext_lazy("stream", "Delivery"),
    "log": pgettext_lazy("stream", "The log"),
    "record": pgettext_lazy("stream", "The record"),
    "hold": pgettext_lazy("stream", "Legal hold"),
}

# Keys of an event's `before` and `after`, in words. One that is not here is shown as it stands in the record.
FIELDS: Final[dict[str, Promise]] = {
    "state": _("State"),
    "stage": _("Stage"),
    "stages": _("Stages that hold it"),
    "stage_label": _("Name of the stage"),
    "to_stage": _("Returned to the stage"),
    "effect": _("What the stage’s answer does"),
    "outcome": _("Outcome"),
    "opened_at": _("With the body since"),
    "confirmed": _("Checklist items confirmed"),
    "conditions": _("Conditions, by digest"),
    "seat": _("Body, by code"),
    "holder": _("Who holds it"),
    "changed_sections": _("Sections changed"),
    "reopened": _("Approvals asked for again"),
    "attachments": _("Files"),
    "kept": _("Approvals that still stand"),
    "lost": _("Approvals that no longer stand"),
    "from_policy": _("From the version"),
    "policy": _("Policy version"),
    "plan": _("Plan of the move, by digest"),
    "effective_from": _("In force from"),
    "motion": _("Motion or minute"),
    "title": _("Title"),
    "name": _("Name"),
    "email": _("E-mail address"),
    "unit": _("Unit"),
    "kind": _("Kind"),
    "parent": _("Part of"),
    "short_name": _("Short name"),
    "body": _("Body"),
    "duty": _("Duty"),
    "person": _("Person"),
    "starts_on": _("First day"),
    "ends_on": _("Last day"),
    "administrator": _("Administrator"),
    "is_staff": _("Administrator"),
    "is_active": _("May sign in"),
    "audience": _("Who may read it"),
    "section": _("Section"),
    "comment": _("Comment number"),
    "words": _("Words of the comment"),
    "digest": _("Digest"),
    "size": _("Size in bytes"),
    "memo": _("Memo"),
    "decision_event": _("Event of the decision"),
    "key": _("Key"),
    "previous": _("Key before it"),
    "lost_head": _("Last checkpoint of the lost log"),
    "authority": _("Authority"),
    "subject": _("Person or proposal"),
    "emptied": _("What was emptied, by number"),
    "scope": _("What was exported"),
    "asked": _("What was asked for"),
    "form": _("As a file of the form"),
    "task": _("Task"),
    "error": _("What went wrong"),
    "action": _("Asks to"),
}
