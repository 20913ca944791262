"""Everything that a memo says, as plain data.

`gather` is the only part that asks the database. The memo's page is made of these facts and nothing else, so that the
same facts give the same memo.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, override, pgettext_lazy, to_locale

from governance.audit.canonical import Json
from governance.people.queries import find_body
from governance.policies.queries import place_of
from governance.policies.resolve import Route, RouteStage, resolve
from governance.policies.rules import Resume
from governance.policies.vocabulary import Action, Effect, Outcome
from governance.working_days import working_days_between
from workflows.memos.models import MemoNumber
from workflows.proposals.content import Content, Coverage
from workflows.proposals.models import Proposal
from workflows.review.models import Closing, Decision, WorkItem
from workflows.review.progress import APPROVALS, Answer, next_stages, standing_approvals


@dataclass(frozen=True)
class Person:
    """Somebody as a memo names them."""

    name: str
    title: str
    of: str

    @property
    def who(self) -> str:
        return ", ".join(word for word in (self.name, self.title) if word)


@dataclass(frozen=True)
class Sentence:
    """A sentence that names the micro-credential, whose title may be in another language than the memo."""

    before: str
    after: str


@dataclass(frozen=True)
class SetCondition:
    number: int
    text: str
    due_on: date | None
    owner: str


@dataclass(frozen=True)
class Question:
    """A question of the stage's checklist and whether it was confirmed."""

    text: str
    clause: str
    required: bool
    confirmed: bool


@dataclass(frozen=True)
class Step:
    """One answer on the way so far. Days are working days; a stage that only received for information has none."""

    stage: str
    body: str
    person: str
    answer: str
    submission: int
    on: date
    days_taken: int | None
    days_allowed: int | None


@dataclass(frozen=True)
class LearningOutcome:
    number: int
    text: str
    assessed_by: tuple[str, ...]


@dataclass(frozen=True)
class MemoFacts:
    """Everything printed in a memo. Words are already in the memo's language, `lang`."""

    lang: str
    # Language of the proposal's own words where it is another one than the memo's, else empty.
    content_lang: str
    institution: str
    body: str
    address: tuple[str, ...]
    heading: str
    number: str
    title: str
    outcome: str
    verdict: str
    decided_at: datetime
    decided_on: date
    to: Person
    copies: tuple[str, ...]
    sender: Person
    reference: str
    asks: str
    submission: int
    submitted_on: date
    motion_heading: str
    motion: Sentence
    answer: str
    conditions: tuple[SetCondition, ...]
    reasons: tuple[str, ...]
    next_step: tuple[str, ...]
    checklist: tuple[Question, ...]
    route: tuple[Step, ...]
    content_heading: str
    terms: tuple[tuple[str, str], ...]
    outcomes: tuple[LearningOutcome, ...]
    revision_digest: str
    policy: str
    policy_digest: str
    policy_in_force_from: date
    clause: str
    event_number: int
    address_of_memo: str

    @property
    def document_title(self) -> str:
        return f"{self.heading} {self.number}: {self.title}"

    @property
    def footer(self) -> str:
        """The memo's number and as much of its title as fits on a line."""
        words = self.title if len(self.title) <= 72 else f"{self.title[:71].rstrip()}…"
        return f"{self.number}   {words}"

    def as_json(self) -> Json:
        """These facts as data with canonical bytes, from which the PDF's identifier is made."""
        return _as_json(self)


def gather(decision: Decision) -> MemoFacts:
    """The facts of a decision's memo, in the institution's language. Its number must have been set aside.

    Only what was so when the decision was made goes in, so that a memo made late, or a second time, says the same.
    """
    with override(settings.LANGUAGE_CODE):
        return _gather(
            Decision.objects.select_related(
                "item",
                "body",
                "by",
                "revision",
                "policy_version__policy",
                "proposal__author",
                "proposal__unit__parent__parent",
            ).get(pk=decision.pk)
        )


def _gather(decision: Decision) -> MemoFacts:
    proposal, revision, version = decision.proposal, decision.revision, decision.policy_version
    content, outcome = revision.content, Outcome(decision.outcome)
    number, moment = MemoNumber.objects.get(decision=decision).number, localtime(decision.at)
    route = resolve(version.typed_rules, content.facts(proposal.action), place_of(proposal.unit))
    earlier = list(Decision.objects.filter(proposal=proposal, pk__lt=decision.pk).select_related("item", "revision"))
    received = list(
        WorkItem.objects.filter(proposal=proposal, closing=Closing.RECEIVED, opened_at__lt=decision.at).select_related(
            "body", "revision"
        )
    )
    made = sorted([*earlier, decision], key=lambda each: each.pk)
    conditions = tuple(
        SetCondition(number=set_.number, text=_clean(set_.text), due_on=set_.due_on, owner=_line(set_.owner))
        for set_ in decision.conditions.order_by("number")
    )
    following = _following(decision, route, made, received)
    title = _line(content.summary.title or proposal.title)
    clause = version.typed_rules.stage(decision.stage_key).clause
    return MemoFacts(
        lang=_bcp47(settings.LANGUAGE_CODE),
        content_lang=_content_language(content),
        institution=settings.INSTITUTION,
        body=_line(decision.body_name),
        address=tuple(_line(line) for line in decision.body.address.splitlines() if line.strip())
        + ((decision.body.email,) if decision.body.email else ()),
        heading=str(HEADINGS[Effect(decision.effect)] if outcome in APPROVALS else HEADINGS[Effect.DECIDE]),
        number=number,
        title=title,
        outcome=outcome.value,
        verdict=_verdict(Effect(decision.effect), outcome, len(conditions)),
        decided_at=moment,
        decided_on=moment.date(),
        to=Person(
            name=_line(revision.submitted_by_name), title=_line(proposal.author.title), of=_line(proposal.unit.name)
        ),
        copies=_copies(decision, made, received, following),
        sender=Person(name=_line(decision.by_name), title=_line(decision.by_title), of=_line(decision.body_name)),
        reference=proposal.reference,
        asks=str(proposal.get_action_display()),
        submission=revision.number,
        submitted_on=localtime(revision.submitted_at).date(),
        motion_heading=_motion_heading(Effect(decision.effect), outcome),
        motion=_motion(decision, route, clause, content, len(conditions)),
        answer=_answer(decision),
        conditions=conditions,
        reasons=_paragraphs(decision.reasons),
        next_step=_next_step(decision, following, len(conditions)),
        checklist=tuple(
            Question(
                text=_line(answer["text"]),
                clause=answer["clause"],
                required=answer["required"],
                confirmed=answer["confirmed"],
            )
            for answer in decision.answers
        ),
        route=_steps(made, received),
        content_heading=_content_heading(Effect(decision.effect), outcome),
        terms=_terms(content),
        outcomes=_outcomes(content),
        revision_digest=revision.digest,
        policy=version.label,
        policy_digest=version.digest,
        policy_in_force_from=version.effective_from,
        clause=clause,
        event_number=decision.event_number,
        address_of_memo=settings.BASE_URL + reverse("memo", args=[number]),
    )


# ---- wording

HEADINGS: Final[dict[Effect, str | Promise]] = {
    Effect.DECIDE: gettext_lazy("Decision memorandum"),
    Effect.RECOMMEND: gettext_lazy("Memorandum of recommendation"),
    Effect.ADVISE: gettext_lazy("Memorandum of advice"),
}

# What a body moves, from the verb on. Who is to approve goes before it: "That Senate …", "recommend that Senate …".
ASKS: Final[dict[Action, str | Promise]] = {
    Action.NEW: gettext_lazy("approve the micro-credential %(title)s"),
    Action.MODIFY: gettext_lazy("approve the changes to the micro-credential %(title)s"),
    Action.TRANSFER: gettext_lazy("approve the transfer of the micro-credential %(title)s"),
    Action.SUSPEND: gettext_lazy("approve the suspension of the micro-credential %(title)s"),
    Action.REACTIVATE: gettext_lazy("approve the reactivation of the micro-credential %(title)s"),
    Action.DISCONTINUE: gettext_lazy("approve the discontinuation of the micro-credential %(title)s"),
    Action.RENEW: gettext_lazy("approve the renewal of the micro-credential %(title)s"),
}

MOTIONS: Final[dict[Effect, str | Promise]] = {
    Effect.DECIDE: gettext_lazy("That %(body)s %(ask)s"),
    Effect.RECOMMEND: gettext_lazy("That %(body)s recommend that %(decider)s %(ask)s"),
    Effect.ADVISE: gettext_lazy("That %(body)s advise %(decider)s to %(ask)s"),
}

ANSWERS: Final[dict[tuple[Effect, Outcome], str | Promise]] = {
    (Effect.DECIDE, Outcome.APPROVE): gettext_lazy("So decided for %(body)s by %(person)s."),
    (Effect.RECOMMEND, Outcome.APPROVE): gettext_lazy("So recommended for %(body)s by %(person)s."),
    (Effect.ADVISE, Outcome.APPROVE): gettext_lazy("So advised for %(body)s by %(person)s."),
    (Effect.DECIDE, Outcome.RETURN): gettext_lazy(
        "%(person)s, for %(body)s, did not put this forward and returned the proposal for the reasons below."
    ),
    (Effect.DECIDE, Outcome.DECLINE): gettext_lazy("%(person)s, for %(body)s, declined this for the reasons below."),
}

VERDICTS: Final[dict[Effect, str | Promise]] = {
    Effect.DECIDE: pgettext_lazy("verdict of a memo", "Approved"),
    Effect.RECOMMEND: pgettext_lazy("verdict of a memo", "Recommended for approval"),
    Effect.ADVISE: pgettext_lazy("verdict of a memo", "Advised to approve"),
}


def _verdict(effect: Effect, outcome: Outcome, conditions: int) -> str:
    if outcome not in APPROVALS:
        return str(outcome.label)
    words = str(VERDICTS[effect])
    if conditions:
        suffix = ngettext("with one condition", "with %(count)d conditions", conditions) % {"count": conditions}
        words = f"{words}, {suffix}"
    return words


def _motion_heading(effect: Effect, outcome: Outcome) -> str:
    if outcome not in APPROVALS:
        return _("What was asked")
    return {Effect.DECIDE: _("Decision"), Effect.RECOMMEND: _("Recommendation")}.get(effect, _("Advice"))


def _content_heading(effect: Effect, outcome: Outcome) -> str:
    if outcome in APPROVALS and effect is Effect.DECIDE:
        return _("What was approved")
    return _("What was recommended") if outcome in APPROVALS and effect is Effect.RECOMMEND else _("What was proposed")


def _motion(decision: Decision, route: Route, clause: str, content: Content, conditions: int) -> Sentence:
    """The motion in the form that senates use, cut in two where the title stands."""
    effect, proposal = Effect(decision.effect), decision.proposal
    mark = "\N{START OF HEADING}"
    ask = str(ASKS[Action(proposal.action)]) % {"title": mark}
    parts = [
        str(MOTIONS[effect])
        % {"body": _line(decision.body_name), "decider": _line(_decider(route, proposal)), "ask": ask},
        _("proposed by %(unit)s") % {"unit": _line(proposal.unit.name)},
    ]
    if content.summary.first_offered_on and proposal.action == Action.NEW:
        month = date_format(content.summary.first_offered_on, "F Y")
        parts.append(_("for first offering in %(month)s") % {"month": month})
    if effect is Effect.DECIDE:
        # Whether the power is the body's own or lent to it, the policy's clause is where it comes from.
        parts.append(_("under clause %(clause)s of the policy") % {"clause": clause})
    if conditions:
        parts.append(ngettext("subject to the condition below", "subject to the conditions below", conditions))
    before, after = ", ".join(parts).split(mark)
    return Sentence(before=before, after=f"{after}.")


def _decider(route: Route, proposal: Proposal) -> str:
    """The body at the end of the route, which decides."""
    last = [stage for stage in route.stages if stage.effect is Effect.DECIDE][-1:] or list(route.stages[-1:])
    return _body_of(last[0], proposal)


def _answer(decision: Decision) -> str:
    outcome = Outcome.APPROVE if Outcome(decision.outcome) in APPROVALS else Outcome(decision.outcome)
    effect = Effect(decision.effect) if outcome is Outcome.APPROVE else Effect.DECIDE
    body = _line(decision.body_name)
    person = Person(name=_line(decision.by_name), title=_line(decision.by_title), of=body)
    return str(ANSWERS[effect, outcome]) % {"body": body, "person": person.who}


def _next_step(decision: Decision, following: tuple[RouteStage, ...], conditions: int) -> tuple[str, ...]:
    match Outcome(decision.outcome):
        case Outcome.DECLINE:
            return (_("The proposal ends here. It stays in the record with everything that was said about it."),)
        case Outcome.RETURN if decision.to_stage:
            words = _("The proposal is with the stage “%(stage)s” again, and passes the stages after it once more.")
            return (words % {"stage": _line(decision.to_stage_label)},)
        case Outcome.RETURN:
            resume = decision.policy_version.typed_rules.resubmission.resume
            return (
                _("The author may change the proposal and send it again. It then comes back to this stage.")
                if resume is Resume.RETURNING_STAGE
                else _("The author may change the proposal and send it again. It then begins at the first stage."),
            )
    acting = [stage for stage in following if stage.effect is not Effect.RECEIVE]
    sentences = [
        ngettext(
            "The proposal is now with %(body)s, which has %(days)d working day to answer.",
            "The proposal is now with %(body)s, which has %(days)d working days to answer.",
            stage.stage.due.working_days,
        )
        % {"body": _line(_body_of(stage, decision.proposal)), "days": stage.stage.due.working_days}
        for stage in acting
    ]
    if not acting:
        sentences.append(_("This is the last decision that the policy asks for. No other approval is needed."))
    if conditions:
        met = ngettext("The condition above is to be met.", "The conditions above are to be met.", conditions)
        sentences.append(met)
    return tuple(sentences)


# ---- the way and the content


def _following(
    decision: Decision, route: Route, made: Iterable[Decision], received: Iterable[WorkItem]
) -> tuple[RouteStage, ...]:
    """The stages that hold the proposal after this decision; empty where it is with its author or has ended."""
    if Outcome(decision.outcome) not in APPROVALS:
        return ()
    answers = [
        Answer(
            stage=each.stage_key,
            outcome=Outcome(each.outcome),
            revision=each.revision.number,
            to_stage=each.to_stage,
            effect=Effect(each.effect),
        )
        for each in made
    ]
    changes = {each.revision.number: each.revision.changed_fields for each in made}
    behind = standing_approvals(answers, route, decision.policy_version.typed_rules, changes)
    behind |= {item.stage_key for item in received if item.revision_id == decision.revision_id}
    return next_stages(route, behind)


def _copies(
    decision: Decision, made: Iterable[Decision], received: Iterable[WorkItem], following: Iterable[RouteStage]
) -> tuple[str, ...]:
    """Who gets a copy: the bodies that answered or received before, and those that hold it next."""
    bodies = [each.body_name for each in made] + [item.body.name for item in received]
    bodies += [_body_of(stage, decision.proposal) for stage in following]
    return tuple(dict.fromkeys(_line(body) for body in bodies if body != decision.body_name))


def _steps(made: Iterable[Decision], received: Iterable[WorkItem]) -> tuple[Step, ...]:
    steps: list[tuple[datetime, Step]] = []
    for each in made:
        opened, due, answered = localtime(each.item.opened_at).date(), each.item.due_on, localtime(each.at).date()
        answer = str(Outcome(each.outcome).label)
        if each.to_stage_label:
            answer = _("Returned to “%(stage)s”") % {"stage": _line(each.to_stage_label)}
        step = Step(
            stage=_line(each.stage_label),
            body=_line(each.body_name),
            person=_line(each.by_name),
            answer=answer,
            submission=each.revision.number,
            on=answered,
            days_taken=working_days_between(opened, answered),
            days_allowed=working_days_between(opened, due),
        )
        steps.append((each.at, step))
    for item in received:
        step = Step(
            stage=_line(item.stage_label),
            body=_line(item.body.name),
            person="",
            answer=str(Closing.RECEIVED.label),
            submission=item.revision.number,
            on=localtime(item.opened_at).date(),
            days_taken=None,
            days_allowed=None,
        )
        steps.append((item.opened_at, step))
    return tuple(step for _moment, step in sorted(steps, key=lambda pair: pair[0]))


def _terms(content: Content) -> tuple[tuple[str, str], ...]:
    """What was asked for in a few words: class, length, delivery, grading, fee."""
    summary, delivery = content.summary, content.delivery
    said: list[tuple[str, str]] = []

    def say(label: str, *words: object) -> None:
        found = [str(word) for word in words if word not in ("", None)]
        if found:
            said.append((label, ", ".join(found)))

    say(
        _("Class"),
        _label(summary, "kind"),
        _label(summary, "level"),
        _("%(credits)s units") % {"credits": delivery.credits} if delivery.credits else "",
    )
    hours, weeks, first = delivery.hours, delivery.weeks, summary.first_offered_on
    say(
        _("Length"),
        ngettext("%(hours)d contact hour", "%(hours)d contact hours", hours) % {"hours": hours} if hours else "",
        ngettext("%(weeks)d week", "%(weeks)d weeks", weeks) % {"weeks": weeks} if weeks else "",
        _("first offered %(day)s") % {"day": date_format(first, "j F Y")} if first else "",
    )
    say(_("Delivery"), _label(delivery, "mode"), _line(delivery.location), _label(summary, "language"))
    say(_("Grading"), _label(content.assessment, "grading"), _label(delivery, "transcript"))
    if content.resources.fee is not None:
        say(_("Fee"), f"${content.resources.fee:,}")
    return tuple(said)


def _label(part: object, name: str) -> str:
    """The label of a chosen value; empty where nothing was chosen."""
    return str(getattr(getattr(part, name), "label", ""))


def _outcomes(content: Content) -> tuple[LearningOutcome, ...]:
    """Each learning outcome with the assessments that measure it; an assessment that only introduces it does not."""
    assessments = {each.key: each for each in content.assessment.assessments}
    found = []
    for number, outcome in enumerate(content.outcomes.outcomes, start=1):
        measuring = (
            assessments[cell.assessment]
            for cell in content.assessment.alignment
            if cell.outcome == outcome.key and cell.coverage is Coverage.ASSESSED and cell.assessment in assessments
        )
        names = tuple(
            _line(each.title) if each.weight is None else f"{_line(each.title)}, {each.weight}%" for each in measuring
        )
        found.append(LearningOutcome(number=number, text=_clean(outcome.text), assessed_by=names))
    return tuple(found)


def _body_of(stage: RouteStage, proposal: Proposal) -> str:
    """The name of the body at a stage, or the stage's own where the institution has no such body."""
    reference = stage.stage.body
    body = find_body(reference.kind, proposal.unit if reference.of else None)
    return body.name if body else stage.label


# ---- text

# Control characters are no letters, and those that turn the direction of text could make a memo read as another.
UNPRINTABLE: Final = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)


def _clean(text: str) -> str:
    """Text as typed, with line breaks but without what cannot be printed."""
    return UNPRINTABLE.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _line(text: str) -> str:
    """Text as a single line."""
    return " ".join(_clean(text).split())


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"\n\s*\n", _clean(text)) if part.strip())


def _bcp47(code: str) -> str:
    """A language code as documents write it: en-ca becomes en-CA."""
    return to_locale(code).replace("_", "-")


def _content_language(content: Content) -> str:
    """The language of the proposal's words where it is not the memo's."""
    code = str(content.summary.language)
    return code if code in {"en", "fr"} and not settings.LANGUAGE_CODE.startswith(code) else ""


def _as_json(value: object) -> Json:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_as_json(each) for each in value]
    if is_dataclass(value):
        return {field.name: _as_json(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"a memo has no facts of type {type(value).__name__}")
