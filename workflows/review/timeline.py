"""The record of one proposal as the entries of its timeline."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from governance.audit.models import Event
from governance.audit.verbs import Verb
from workflows.proposals.display import label_of
from workflows.review.materiality import Reopened


@dataclass(frozen=True)
class Entry:
    """A line of the timeline (`parts/timeline.html`)."""

    icon: str
    tone: str
    actor: str
    text: str
    moment: datetime
    detail: str = ""
    quote: str = ""
    event: int = 0


_LOOKS: Final[dict[Verb, tuple[str, str]]] = {
    Verb.PROPOSAL_CREATED: ("pencil", ""),
    Verb.ATTACHMENT_ADDED: ("paperclip", ""),
    Verb.ATTACHMENT_REMOVED: ("trash-2", ""),
    Verb.PROPOSAL_SUBMITTED: ("send", "accent"),
    Verb.PROPOSAL_RESUBMITTED: ("send", "accent"),
    Verb.PROPOSAL_WITHDRAWN: ("log-out", ""),
    Verb.PROPOSAL_MOVED: ("scale", "policy"),
    Verb.COMMENT_ADDED: ("message-square", ""),
    Verb.DECISION_APPROVED: ("check", "good"),
    Verb.DECISION_APPROVED_WITH_CONDITIONS: ("check", "good"),
    Verb.DECISION_RETURNED: ("undo-2", "warn"),
    Verb.DECISION_SENT_BACK: ("undo-2", "warn"),
    Verb.DECISION_DECLINED: ("x", "bad"),
    Verb.STAGE_RECEIVED: ("inbox", ""),
    Verb.MEMO_ISSUED: ("stamp", "policy"),
}


def entry_of(event: Event) -> Entry:
    verb, sentence = Verb(event.verb), event.sentence
    icon, tone = _LOOKS.get(verb, ("circle-dot", ""))
    named = sentence.startswith(event.actor_name)
    return Entry(
        icon=icon,
        tone=tone,
        actor=event.actor_name if named else "",
        text=sentence.removeprefix(event.actor_name).strip() if named else sentence,
        moment=event.at,
        detail=_detail(verb, event),
        quote=event.reason,
        event=event.pk,
    )


def _detail(verb: Verb, event: Event) -> str:
    after = event.facts["after"] or {}
    if verb is Verb.PROPOSAL_SUBMITTED:
        return _("Under %(policy)s.") % {"policy": event.facts["policy_version"]}
    if verb is Verb.PROPOSAL_RESUBMITTED and after.get("changed_sections"):
        names = ", ".join(label_of(key) for key in after["changed_sections"])
        again = [Reopened.from_json(kept).sentence for kept in after.get("reopened", ())]
        return " ".join([_("Changed: %(sections)s.") % {"sections": names}, *again])
    if verb is Verb.PROPOSAL_MOVED:
        kept = _("Approvals that still stand: %(stages)s.") % {"stages": _labels(after["kept"])}
        lost = _("Approvals that no longer stand: %(stages)s.") % {"stages": _labels(after["lost"])}
        return " ".join([kept] * bool(after["kept"]) + [lost] * bool(after["lost"]))
    if verb is Verb.COMMENT_ADDED and after.get("section"):
        return _("On %(section)s.") % {"section": label_of(after["section"])}
    return ""


def _labels(approvals: list[dict[str, Any]]) -> str:
    return ", ".join(approval["label"] for approval in approvals)
