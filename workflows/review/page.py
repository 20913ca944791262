"""What the proposal's page shows to one person, as typed data, read in a number of queries that nothing makes grow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from django.http import Http404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from governance import clock
from governance.audit.models import Event
from governance.audit.queries import events_of
from governance.audit.verbs import Verb
from governance.people.duties import Right
from governance.people.models import User
from governance.people.queries import Holdings, holdings
from governance.policies.models import PolicyVersion
from governance.policies.queries import place_of
from governance.policies.rules import ChecklistItem, Rules
from governance.policies.vocabulary import Outcome, UnitPlace
from governance.refusals import NotPermitted, Refusal
from workflows.proposals.completeness import gaps
from workflows.proposals.content import Content
from workflows.proposals.display import SectionView, how_many_sections, label_of, sections
from workflows.proposals.models import Audience, Comment, Look, Proposal, Revision
from workflows.proposals.states import State
from workflows.review.forms import DecisionForm
from workflows.review.lists import due_words, seats_of
from workflows.review.models import Condition, Decision, WorkItem
from workflows.review.permits import Act, Standing, refusal
from workflows.review.queries import comments_for, route_of, standing
from workflows.review.route import History, Step, label_of_approval, steps

# Older entries of the timeline are folded away, and those beyond the second number are left to `?history=all`.
ENTRIES_SHOWN: Final = 6
ENTRIES_READ: Final = 60
SELECTED: Final = SafeString(" selected")


class NoAccess(NotPermitted):
    """A proposal that is there and that this person may not see; the sentence says why."""


@dataclass(frozen=True)
class Reader:
    """A person in front of a proposal: what they hold today, what they may do, what they had seen before."""

    user: User
    held: Holdings
    proposal: Proposal
    standing: Standing
    item: WorkItem | None
    history: History | None

    @property
    def is_author(self) -> bool:
        return self.standing.is_author

    def may(self, act: Act) -> bool:
        return refusal(act, self.standing) is None

    def why_not(self, act: Act) -> Refusal | None:
        return refusal(act, self.standing)


def reader_of(user: User, reference: str, item: int | None = None) -> Reader:
    """The person in front of the proposal of that reference, at the stage that they may decide if there is one.

    Raises Http404 where there is no such proposal, and NoAccess with the reason where this person may not see it.
    """
    proposal = (
        Proposal.objects.filter(reference=reference)
        .select_related("author", "unit__parent__parent", "policy_version__policy")
        .first()
    )
    if proposal is None:
        raise Http404(reference)
    held = holdings(user)
    history = _history(proposal, held)
    at = _item_for(held, history, item)
    stands = standing(user, proposal, at, held=held, answers=history.answers if history is not None else ())
    if refusal(Act.VIEW, stands) is not None:
        raise NoAccess(_why_unseen(proposal))
    return Reader(user=user, held=held, proposal=proposal, standing=stands, item=at, history=history)


def _why_unseen(proposal: Proposal) -> str:
    said = {"reference": proposal.reference, "author": proposal.author.name}
    if not proposal.revision_number:
        return _("%(reference)s is a draft. Only its author sees it until it is sent. Ask %(author)s about it.") % said
    return _("%(reference)s has not come to a body on which you sit. Ask %(author)s about it.") % said


def _history(proposal: Proposal, held: Holdings) -> History | None:
    """What happened on the route; None before the first submission. Four queries."""
    if not proposal.revision_number:
        return None
    revisions = {revision.number: revision for revision in proposal.revisions.all()}
    for revision in revisions.values():
        revision.proposal = proposal
    proposal.current_revision = revisions[proposal.revision_number]
    items = list(proposal.work_items.select_related("body").order_by("id"))
    by_pk = {revision.pk: revision for revision in revisions.values()}
    for item in items:
        item.proposal, item.revision = proposal, by_pk[item.revision_id]
    decisions = list(proposal.decisions.prefetch_related("conditions").order_by("id"))
    return History(
        proposal=proposal,
        route=route_of(proposal),
        revisions=tuple(revisions.values()),
        items=items,
        decisions=decisions,
        mine=frozenset(seat.body_id for seat in seats_of(held)),
    )


def _item_for(held: Holdings, history: History | None, asked: int | None) -> WorkItem | None:
    """The open work item in question: the one asked for, else one that the person may decide, else any."""
    if history is None or not history.open_items:
        return None
    decides = held.bodies(Right.DECIDE)
    return min(history.open_items, key=lambda item: (item.pk != asked, item.body_id not in decides, item.pk))


# ---- the parts of the page


@dataclass(frozen=True)
class SystemCheck:
    """A requirement of the policy, checked by the system on this very submission."""

    says: str
    clause: str
    met: bool

    @property
    def clause_in_words(self) -> str:
        return _("clause %(number)s") % {"number": self.clause}


@dataclass(frozen=True)
class Remark:
    """A comment as the page shows it."""

    comment: Comment
    audience: str
    mine: bool
    new: bool


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


@dataclass(frozen=True)
class Panel:
    """The decision panel: the stage, what the policy asks for there, and which answers it allows."""

    item: WorkItem
    form: DecisionForm
    due_words: str
    late: bool
    approve_label: str
    can_return: bool
    can_decline: bool
    can_set_conditions: bool
    returns_to_stages: bool


@dataclass(frozen=True)
class Section:
    """A section as it is drawn, with its remarks."""

    view: SectionView
    html: SafeString
    remarks: list[Remark]


@dataclass(frozen=True)
class PageOptions:
    """What the address asks of the page."""

    show: str = "changes"
    base: int | None = None
    all_history: bool = False


@dataclass
class ProposalPage:
    """The whole page for one reader."""

    reader: Reader
    options: PageOptions = field(default_factory=PageOptions)
    decision_form: DecisionForm | None = None

    @property
    def proposal(self) -> Proposal:
        return self.reader.proposal

    @property
    def history(self) -> History | None:
        return self.reader.history

    @property
    def url(self) -> str:
        return reverse("proposal", args=[self.proposal.reference])

    # ---- header

    @cached_property
    def has_conditions(self) -> bool:
        return any(decision.outcome == Outcome.APPROVE_WITH_CONDITIONS for decision in self.decisions)

    @property
    def decisions(self) -> Sequence[Decision]:
        return self.history.decisions if self.history is not None else ()

    @cached_property
    def steps(self) -> list[Step]:
        return steps(self.history) if self.history is not None else []

    @property
    def revision(self) -> Revision | None:
        return self.proposal.current_revision

    @property
    def policy_version(self) -> PolicyVersion | None:
        return self.proposal.policy_version

    # ---- the text and what changed in it

    @cached_property
    def content(self) -> Content:
        """The submission that reviewers decide on; the draft of a proposal that was never sent."""
        return self.revision.content if self.revision is not None else self.proposal.draft_content()

    @property
    def earlier(self) -> list[Revision]:
        """The submissions that the current one can be compared with, latest first."""
        found = self.history.revisions if self.history is not None else ()
        return sorted(
            (revision for revision in found if revision.number < self.proposal.revision_number),
            key=lambda revision: -revision.number,
        )

    @property
    def base(self) -> Revision | None:
        """The submission that the text is compared with: the one asked for, else the one before."""
        asked = [revision for revision in self.earlier if revision.number == self.options.base]
        return next(iter(asked or self.earlier), None)

    @property
    def shows_changes(self) -> bool:
        return self.base is not None and self.options.show != "clean"

    @cached_property
    def sections(self) -> list[Section]:
        reference = self.proposal.reference
        if self.revision is None:
            drawn = _draw(reference, sections(self.content))
        else:
            base = self.base if self.shows_changes else None
            drawn = _drawn(_Text.of(reference, self.revision, base))
        return [Section(view=view, html=html, remarks=self.remarks_on(view.key)) for view, html in drawn]

    @property
    def changed_sections(self) -> int:
        return sum(section.view.changed for section in self.sections)

    @property
    def sections_in_all(self) -> int:
        return how_many_sections()

    # ---- what was said

    @cached_property
    def look(self) -> Look | None:
        """How far the person had seen the proposal before this visit."""
        return Look.objects.filter(proposal=self.proposal, user=self.reader.user).first()

    @property
    def seen_before(self) -> Look | None:
        """The earlier visit, where the person saw an earlier submission than this one."""
        seen = self.look
        return seen if seen is not None and 0 < seen.revision_number < self.proposal.revision_number else None

    @cached_property
    def remarks(self) -> list[Remark]:
        if not self.proposal.revision_number:
            return []
        seen = self.look.at if self.look is not None else None
        me = self.reader.user.pk
        return [
            Remark(
                comment=comment,
                audience=_audience_in_words(comment),
                mine=comment.author_id == me,
                new=comment.author_id != me and (seen is None or comment.at > seen),
            )
            for comment in comments_for(self.reader.user, self.proposal, self.reader.held)
        ]

    def remarks_on(self, section: str) -> list[Remark]:
        return [remark for remark in self.remarks if remark.comment.section == section]

    @property
    def remarks_on_all(self) -> list[Remark]:
        shown = {section.view.key for section in self.sections}
        return [remark for remark in self.remarks if remark.comment.section not in shown]

    @cached_property
    def audiences(self) -> list[tuple[str, str]]:
        """For whom this person may write here, the narrowest first; empty when they may not comment."""
        return audiences_of(self.reader)

    @cached_property
    def audience_options(self) -> SafeString:
        """The choice of audience in every comment form; reviewers write to each other unless they say otherwise."""
        return audience_options(self.audiences, Audience.REVIEWERS)

    @cached_property
    def conditions(self) -> list[tuple[Decision, list[Condition]]]:
        found = ((decision, list(decision.conditions.all())) for decision in self.decisions)
        return [(decision, conditions) for decision, conditions in found if conditions]

    # ---- the timeline

    @cached_property
    def _entries(self) -> list[Entry]:
        events = events_of(self.proposal.subject).order_by("-sequence")
        return [_entry(event) for event in (events if self.options.all_history else events[:ENTRIES_READ])]

    @property
    def entries(self) -> list[Entry]:
        return self._entries[:ENTRIES_SHOWN]

    @property
    def older_entries(self) -> list[Entry]:
        return self._entries[ENTRIES_SHOWN:]

    @property
    def events_in_all(self) -> int:
        return self.proposal.version

    @property
    def entries_left_out(self) -> int:
        return max(0, self.proposal.version - len(self._entries))

    # ---- what the person may do

    @cached_property
    def panel(self) -> Panel | None:
        """The decision panel, for somebody who may give at least one answer now."""
        item, history = self.reader.item, self.history
        if item is None or history is None or not self.reader.may(Act.APPROVE):
            return None
        stage = history.route[item.stage_key].stage
        holding = {other.stage_key: other.stage_label for other in history.open_items}
        return Panel(
            item=item,
            form=self.decision_form or decision_form(self.reader, initial=self._initial),
            due_words=due_words(item.due_on, clock.today()),
            late=item.due_on < clock.today(),
            approve_label=label_of_approval(history.after_approval_of(item), holding),
            can_return=Outcome.RETURN in stage.outcomes,
            can_decline=Outcome.DECLINE in stage.outcomes,
            can_set_conditions=Outcome.APPROVE_WITH_CONDITIONS in stage.outcomes,
            returns_to_stages=bool(history.route.before(item.stage_key)),
        )

    @property
    def _initial(self) -> dict[str, Any]:
        assert self.reader.item is not None
        return {"item": self.reader.item.pk, "seen": self.proposal.version}

    @cached_property
    def may_not_decide(self) -> str:
        """Why somebody who holds the duty to decide here may not decide on this one; empty where that helps nobody."""
        stage = self.reader.standing.stage
        if stage is None or Right.DECIDE not in stage.rights:
            return ""
        no = self.reader.why_not(Act.APPROVE)
        return str(no.sentence) if isinstance(no, NotPermitted) else ""

    @property
    def may_withdraw(self) -> bool:
        return self.reader.may(Act.WITHDRAW)

    @property
    def may_edit(self) -> bool:
        return self.reader.may(Act.EDIT)

    @cached_property
    def returned(self) -> Decision | None:
        """The return that the author has to answer."""
        if self.proposal.state != State.RETURNED:
            return None
        return next((one for one in reversed(self.decisions) if one.outcome == Outcome.RETURN), None)

    @property
    def holders(self) -> list[WorkItem]:
        return self.history.open_items if self.history is not None else []

    @cached_property
    def checks(self) -> list[SystemCheck]:
        version = self.policy_version
        if version is None:
            return []
        return system_checks(version.typed_rules, self.content, place_of(self.proposal.unit), self.proposal.action)

    @property
    def checks_passed(self) -> int:
        return sum(check.met for check in self.checks)

    @property
    def open_checks(self) -> list[SystemCheck]:
        return [check for check in self.checks if not check.met]


@dataclass(frozen=True)
class _Text:
    """A submission, alone or beside an earlier one, in a language; known by digests, because neither ever changes."""

    reference: str
    digest: str
    base_digest: str
    language: str
    revision: Revision = field(compare=False)
    base: Revision | None = field(compare=False)

    @classmethod
    def of(cls, reference: str, revision: Revision, base: Revision | None) -> "_Text":
        base_digest = base.digest if base is not None else ""
        return cls(reference, revision.digest, base_digest, get_language() or "", revision, base)


@lru_cache(maxsize=64)
def _drawn(text: _Text) -> list[tuple[SectionView, SafeString]]:
    """The sections of a submission as HTML, remembered: its readers come back to the same words."""
    revision, base = text.revision, text.base
    views = sections(
        revision.content,
        base.content if base is not None else None,
        files=revision.attachments,
        base_files=base.attachments if base is not None else None,
    )
    return _draw(text.reference, views)


def _draw(reference: str, views: Iterable[SectionView]) -> list[tuple[SectionView, SafeString]]:
    template = "proposals/content/section.html"
    return [(view, render_to_string(template, {"view": view, "reference": reference})) for view in views]


def audiences_of(reader: Reader) -> list[tuple[str, str]]:
    """For whom a person may write about a proposal, the narrowest audience first; empty when they may not comment."""
    if not reader.may(Act.COMMENT):
        return []
    everyone = (Audience.EVERYONE.value, _("Everyone on the proposal"))
    advises = reader.held.bodies(Right.ADVISE)
    mine = [item for item in (reader.history.items if reader.history is not None else ()) if item.body_id in advises]
    if not mine:
        return [everyone]
    # The same choice as the act's own: the body that holds it now, else the one that held it last.
    item = max(mine, key=lambda item: (item.closed_at is None, item.closed_at or item.opened_at, item.pk))
    return [
        (Audience.BODY.value, _("%(body)s only") % {"body": item.body.short_name}),
        (Audience.REVIEWERS.value, _("All reviewers")),
        everyone,
    ]


def audience_options(audiences: Iterable[tuple[str, str]], chosen: str) -> SafeString:
    """Audiences as the options of a select."""
    rows = ((value, SELECTED if value == chosen else "", name) for value, name in audiences)
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)


def decision_form(reader: Reader, data: Any = None, initial: dict[str, Any] | None = None) -> DecisionForm:
    """The decision form of the stage at which the person stands."""
    item, history = reader.item, reader.history
    checklist: Sequence[ChecklistItem] = ()
    earlier: Iterable[Any] = ()
    if item is not None and history is not None:
        checklist = history.route[item.stage_key].stage.checklist
        earlier = history.route.before(item.stage_key)
    return DecisionForm(
        data, checklist=checklist, earlier=tuple(earlier), author=reader.proposal.author.name, initial=initial
    )


def system_checks(rules: Rules, content: Content, unit: UnitPlace, action: str) -> list[SystemCheck]:
    """Every requirement of the policy that applies to this content, and whether it is met; open ones first."""
    missing = {(gap.field, gap.clause, gap.says) for gap in gaps(rules, content, unit, action=action)}
    facts = content.facts(action)
    checks = [
        SystemCheck(says=rule.says, clause=rule.clause, met=(rule.field, rule.clause, rule.says) not in missing)
        for rule in rules.requires
        if rule.when is None or rule.when.holds(facts, unit)
    ]
    return sorted(checks, key=lambda check: check.met)


def _audience_in_words(comment: Comment) -> str:
    if comment.audience == Audience.BODY and comment.body is not None:
        return _("%(body)s only") % {"body": comment.body.short_name}
    if comment.audience == Audience.REVIEWERS:
        return _("All reviewers")
    return _("Everyone on the proposal")


_LOOKS: Final[dict[Verb, tuple[str, str]]] = {
    Verb.PROPOSAL_CREATED: ("pencil", ""),
    Verb.ATTACHMENT_ADDED: ("paperclip", ""),
    Verb.ATTACHMENT_REMOVED: ("trash-2", ""),
    Verb.PROPOSAL_SUBMITTED: ("send", "accent"),
    Verb.PROPOSAL_RESUBMITTED: ("send", "accent"),
    Verb.PROPOSAL_WITHDRAWN: ("log-out", ""),
    Verb.COMMENT_ADDED: ("message-square", ""),
    Verb.DECISION_APPROVED: ("check", "good"),
    Verb.DECISION_APPROVED_WITH_CONDITIONS: ("check", "good"),
    Verb.DECISION_RETURNED: ("undo-2", "warn"),
    Verb.DECISION_SENT_BACK: ("undo-2", "warn"),
    Verb.DECISION_DECLINED: ("x", "bad"),
    Verb.STAGE_RECEIVED: ("inbox", ""),
    Verb.MEMO_ISSUED: ("stamp", "policy"),
}


def _entry(event: Event) -> Entry:
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
    )


def _detail(verb: Verb, event: Event) -> str:
    after = event.facts["after"] or {}
    if verb is Verb.PROPOSAL_SUBMITTED:
        return _("Under %(policy)s.") % {"policy": event.facts["policy_version"]}
    if verb is Verb.PROPOSAL_RESUBMITTED and after.get("changed_sections"):
        names = ", ".join(label_of(key) for key in after["changed_sections"])
        return _("Changed: %(sections)s.") % {"sections": names}
    if verb is Verb.COMMENT_ADDED and after.get("section"):
        return _("On %(section)s.") % {"section": label_of(after["section"])}
    return ""
