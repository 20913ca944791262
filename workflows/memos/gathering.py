"""Gathering the facts of a memo from the database: only what was so when the decision was made."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override, to_locale

from governance.audit.models import Checkpoint, Event, named
from governance.audit.queries import inclusion_proof
from governance.audit.verifier import to_base64
from governance.dates import in_full
from governance.policies.queries import place_of
from governance.policies.resolve import Route, RouteStage, resolve
from governance.policies.vocabulary import Effect, Outcome
from governance.working_days import working_days_between
from workflows.memos import wording
from workflows.memos.facts import (
    Certificate,
    LearningOutcome,
    MemoFacts,
    Person,
    PlaceInLog,
    Question,
    Sentence,
    SetCondition,
    Step,
)
from workflows.memos.models import MemoNumber
from workflows.memos.wording import body_of, clean, line, paragraphs
from workflows.proposals.content import Content, Coverage
from workflows.review.models import Closing, Decision, WorkItem
from workflows.review.progress import APPROVALS, Answer, next_stages, standing_approvals


def gather(decision: Decision, *, checkpoint: Checkpoint, certificate: Certificate | None) -> MemoFacts:
    """The facts of a decision's memo, in the institution's language. Its number must have been set aside.

    Apart from the checkpoint over its event and the certificate that signs it, only what was so when the decision was
    made goes in, so that a memo made late, or a second time, says the same.
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
            ).get(pk=decision.pk),
            checkpoint,
            certificate,
        )


def _gather(decision: Decision, checkpoint: Checkpoint, certificate: Certificate | None) -> MemoFacts:
    event = Event.objects.get(pk=decision.event_number)
    proof = inclusion_proof(event, checkpoint)
    proposal, revision, version = decision.proposal, decision.revision, decision.policy_version
    content, effect, outcome = revision.content, Effect(decision.effect), Outcome(decision.outcome)
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
        SetCondition(number=set_.number, text=clean(set_.text), due_on=set_.due_on, owner=line(set_.owner))
        for set_ in decision.conditions.order_by("number")
    )
    following = _following(decision, route, made, received)
    title = line(content.summary.title or proposal.title)
    sender = Person(name=line(named(decision.by_name)), title=line(decision.by_title), of=line(decision.body_name))
    clause = version.typed_rules.stage(decision.stage_key).clause
    return MemoFacts(
        lang=_bcp47(settings.LANGUAGE_CODE),
        content_lang=_content_language(content),
        institution=settings.INSTITUTION,
        body=line(decision.body_name),
        address=tuple(line(each) for each in decision.body.address.splitlines() if each.strip())
        + ((decision.body.email,) if decision.body.email else ()),
        heading=wording.heading(effect, outcome),
        number=number,
        title=title,
        outcome=outcome.value,
        verdict=wording.verdict(effect, outcome, len(conditions)),
        decided_at=moment,
        decided_on=moment.date(),
        to=Person(
            name=line(named(revision.submitted_by_name)), title=line(proposal.author.title), of=line(proposal.unit.name)
        ),
        copies=_copies(decision, made, received, following),
        sender=sender,
        reference=proposal.reference,
        asks=str(proposal.get_action_display()),
        submission=revision.number,
        submitted_on=localtime(revision.submitted_at).date(),
        motion_heading=wording.motion_heading(effect, outcome),
        motion=Sentence(*wording.motion(decision, route, clause, content, len(conditions))),
        answer=wording.answer(decision, person=sender.who),
        conditions=conditions,
        reasons=paragraphs(decision.reasons),
        next_step=wording.next_step(decision, following, len(conditions)),
        checklist=tuple(
            Question(
                text=line(answer["text"]),
                clause=answer["clause"],
                required=answer["required"],
                confirmed=answer["confirmed"],
            )
            for answer in decision.answers
        ),
        route=_steps(made, received),
        content_heading=wording.content_heading(effect, outcome),
        terms=_terms(content),
        outcomes=_outcomes(content),
        revision_digest=revision.digest,
        policy=version.label,
        policy_digest=version.digest,
        policy_in_force_from=version.effective_from,
        clause=clause,
        event_number=decision.event_number,
        place=PlaceInLog(
            log=proof.checkpoint.origin,
            index=proof.index,
            size=proof.checkpoint.size,
            root=to_base64(proof.checkpoint.root),
            signed_at=localtime(checkpoint.at),
        ),
        certificate=certificate,
        address_of_memo=settings.BASE_URL + reverse("memo", args=[number]),
        address_to_check=settings.BASE_URL + reverse("verify-memo", args=[number]),
        record=bytes(event.body).decode(),
        proof=str(proof),
    )


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
    bodies += [body_of(stage, decision.proposal) for stage in following]
    return tuple(dict.fromkeys(line(body) for body in bodies if body != decision.body_name))


def _steps(made: Iterable[Decision], received: Iterable[WorkItem]) -> tuple[Step, ...]:
    steps: list[tuple[datetime, Step]] = []
    for each in made:
        opened, due, answered = localtime(each.item.opened_at).date(), each.item.due_on, localtime(each.at).date()
        answer = str(Outcome(each.outcome).label)
        if each.to_stage_label:
            answer = _("Returned to “%(stage)s”") % {"stage": line(each.to_stage_label)}
        step = Step(
            stage=line(each.stage_label),
            body=line(each.body_name),
            person=line(named(each.by_name)),
            answer=answer,
            submission=each.revision.number,
            on=answered,
            days_taken=working_days_between(opened, answered),
            days_allowed=working_days_between(opened, due),
        )
        steps.append((each.at, step))
    for item in received:
        step = Step(
            stage=line(item.stage_label),
            body=line(item.body.name),
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
        _("first offered %(day)s") % {"day": in_full(first)} if first else "",
    )
    say(_("Delivery"), _label(delivery, "mode"), line(delivery.location), _label(summary, "language"))
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
            line(each.title) if each.weight is None else f"{line(each.title)}, {each.weight}%" for each in measuring
        )
        found.append(LearningOutcome(number=number, text=clean(outcome.text), assessed_by=names))
    return tuple(found)


# ---- languages


def _bcp47(code: str) -> str:
    """A language code as documents write it: en-ca becomes en-CA."""
    return to_locale(code).replace("_", "-")


def _content_language(content: Content) -> str:
    """The language of the proposal's words where it is not the memo's."""
    code = str(content.summary.language)
    return code if code in {"en", "fr"} and not settings.LANGUAGE_CODE.startswith(code) else ""
