"""What the proposal's page shows to one person, as typed data, read in a number of queries that nothing makes grow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from governance.audit.models import Event
from governance.audit.queries import events_of
from governance.audit.verbs import Verb
from governance.people.duties import Right
from governance.policies.models import PolicyVersion
from governance.policies.queries import place_of
from governance.policies.vocabulary import Outcome
from governance.refusals import NotPermitted
from workflows.proposals.blocks import SectionView
from workflows.proposals.content import Content
from workflows.proposals.display import how_many_sections, sections
from workflows.proposals.models import Audience, Comment, Look, Proposal, Revision
from workflows.proposals.states import State
from workflows.review.forms import DecisionForm
from workflows.review.materiality import Reopened
from workflows.review.models import Condition, Decision, WorkItem
from workflows.review.panel import Panel, SystemCheck, panel_of, system_checks
from workflows.review.permits import Act
from workflows.review.queries import comments_for
from workflows.review.reader import Reader
from workflows.review.route import History, Step, steps
from workflows.review.timeline import Entry, entry_of

# Older entries of the timeline are folded away, and those beyond the second number are left to `?history=all`.
ENTRIES_SHOWN: Final = 6
ENTRIES_READ: Final = 60
SELECTED: Final = SafeString(" selected")


@dataclass(frozen=True)
class Remark:
    """A comment as the page shows it."""

    comment: Comment
    audience: str
    mine: bool
    new: bool


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

    @cached_property
    def asked_again(self) -> list[Reopened]:
        """The approvals that were asked for again and not answered since, while the proposal is in review."""
        if self.history is None or self.proposal.state != State.IN_REVIEW:
            return []
        return list(self.history.asked_again().values())

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
        found = self.history.revisions if self.history is not None and self.proposal.disposed_at is None else ()
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

    @property
    def shows_readings(self) -> bool:
        """Whether there are confidential files whose readings this person may see."""
        if self.revision is None or self.proposal.author_id != self.reader.user.pk:
            return False
        return any(file.get("confidential") for file in self.revision.attachments)

    @cached_property
    def sections(self) -> list[Section]:
        reference = self.proposal.reference
        if self.proposal.disposed_at is not None:
            return []
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
        return how_many_sections([section.view.key for section in self.sections])

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
    def _events(self) -> list[Event]:
        events = events_of(self.proposal.subject).order_by("-sequence")
        return list(events if self.options.all_history else events[:ENTRIES_READ])

    @cached_property
    def _entries(self) -> list[Entry]:
        return [entry_of(event) for event in self._events]

    @property
    def bound_at(self) -> datetime | None:
        """When the proposal came under its policy version: when it was last moved to one, else when it was first sent;
        None where that lies beyond the part of the record that was read."""
        moved = next((event.at for event in self._events if event.verb == Verb.PROPOSAL_MOVED), None)
        return moved or (None if self.entries_left_out else self.proposal.submitted_at)

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
        return panel_of(self.reader, self.decision_form)

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
    def asked(self) -> Decision | None:
        """What the stage that waits for this person asked for when it last returned the proposal, or was asked for."""
        item = self.reader.item
        if item is None or self.panel is None:
            return None
        returns = (one for one in reversed(self.decisions) if one.outcome == Outcome.RETURN)
        return next((one for one in returns if one.body_id == item.body_id or one.to_stage == item.stage_key), None)

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
        # Whether it still has words is part of it: another process may have drawn them before they were disposed of.
        digest = revision.digest if revision.content_text else ""
        return cls(reference, digest, base_digest, get_language() or "", revision, base)


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
    if not reader.may(Act.COMMENT) or reader.proposal.disposed_at is not None:
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


def _audience_in_words(comment: Comment) -> str:
    if comment.audience == Audience.BODY and comment.body is not None:
        return _("%(body)s only") % {"body": comment.body.short_name}
    if comment.audience == Audience.REVIEWERS:
        return _("All reviewers")
    return _("Everyone on the proposal")
