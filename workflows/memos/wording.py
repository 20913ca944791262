"""The sentences of a memo, and typed words made fit to be printed: what a dean would want to read before it ships.

Example: "That Senate approve the micro-credential …, proposed by Faculty of Health Sciences, subject to the condition
below." All functions speak the language that is active.
"""

import re
from typing import Final

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from governance.people.queries import find_body
from governance.policies.resolve import Route, RouteStage
from governance.policies.rules import Resume
from governance.policies.vocabulary import Action, Effect, Outcome
from workflows.proposals.content import Content
from workflows.proposals.models import Proposal
from workflows.review.models import Decision
from workflows.review.progress import APPROVALS

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


def heading(effect: Effect, outcome: Outcome) -> str:
    """What kind of memo this is."""
    return str(HEADINGS[effect if outcome in APPROVALS else Effect.DECIDE])


def verdict(effect: Effect, outcome: Outcome, conditions: int) -> str:
    """The answer in a few words, as the top of the memo has it."""
    if outcome not in APPROVALS:
        return str(outcome.label)
    words = str(VERDICTS[effect])
    if conditions:
        suffix = ngettext("with one condition", "with %(count)d conditions", conditions) % {"count": conditions}
        words = f"{words}, {suffix}"
    return words


def motion_heading(effect: Effect, outcome: Outcome) -> str:
    """What stands over the motion."""
    if outcome not in APPROVALS:
        return _("What was asked")
    return {Effect.DECIDE: _("Decision"), Effect.RECOMMEND: _("Recommendation")}.get(effect, _("Advice"))


def content_heading(effect: Effect, outcome: Outcome) -> str:
    """What stands over the content of the proposal."""
    if outcome in APPROVALS and effect is Effect.DECIDE:
        return _("What was approved")
    return _("What was recommended") if outcome in APPROVALS and effect is Effect.RECOMMEND else _("What was proposed")


def motion(decision: Decision, route: Route, clause: str, content: Content, conditions: int) -> tuple[str, str]:
    """The motion in the form that senates use, cut in two where the title stands."""
    effect, proposal = Effect(decision.effect), decision.proposal
    mark = "\N{START OF HEADING}"
    ask = str(ASKS[Action(proposal.action)]) % {"title": mark}
    parts = [
        str(MOTIONS[effect])
        % {"body": line(decision.body_name), "decider": line(_decider(route, proposal)), "ask": ask},
        _("proposed by %(unit)s") % {"unit": line(proposal.unit.name)},
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
    return before, f"{after}."


def _decider(route: Route, proposal: Proposal) -> str:
    """The body at the end of the route, which decides."""
    last = [stage for stage in route.stages if stage.effect is Effect.DECIDE][-1:] or list(route.stages[-1:])
    return body_of(last[0], proposal)


def answer(decision: Decision, *, person: str) -> str:
    """What became of the motion, and by whose hand."""
    outcome = Outcome.APPROVE if Outcome(decision.outcome) in APPROVALS else Outcome(decision.outcome)
    effect = Effect(decision.effect) if outcome is Outcome.APPROVE else Effect.DECIDE
    return str(ANSWERS[effect, outcome]) % {"body": line(decision.body_name), "person": person}


def next_step(decision: Decision, following: tuple[RouteStage, ...], conditions: int) -> tuple[str, ...]:
    """Where the proposal is now, and what is asked of whom, a sentence each."""
    match Outcome(decision.outcome):
        case Outcome.DECLINE:
            return (_("The proposal ends here. It stays in the record with everything that was said about it."),)
        case Outcome.RETURN if decision.to_stage:
            words = _("The proposal is with the stage “%(stage)s” again, and passes the stages after it once more.")
            return (words % {"stage": line(decision.to_stage_label)},)
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
        % {"body": line(body_of(stage, decision.proposal)), "days": stage.stage.due.working_days}
        for stage in acting
    ]
    if not acting:
        sentences.append(_("This is the last decision that the policy asks for. No other approval is needed."))
    if conditions:
        met = ngettext("The condition above is to be met.", "The conditions above are to be met.", conditions)
        sentences.append(met)
    return tuple(sentences)


def body_of(stage: RouteStage, proposal: Proposal) -> str:
    """The name of the body at a stage, or the stage's own where the institution has no such body."""
    reference = stage.stage.body
    body = find_body(reference.kind, proposal.unit if reference.of else None)
    return body.name if body else stage.label


# ---- text

LINE_BREAK: Final = re.compile("\r\n?|[\x85\u2028\u2029]")
# Control characters are no letters, and those that turn the direction of text could make a memo read as another.
UNPRINTABLE: Final = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)


def clean(text: str) -> str:
    """Text as typed, with line breaks but without what cannot be printed."""
    return UNPRINTABLE.sub(" ", LINE_BREAK.sub("\n", text)).strip()


def line(text: str) -> str:
    """Text as a single line."""
    return " ".join(clean(text).split())


def paragraphs(text: str) -> tuple[str, ...]:
    """Text as the paragraphs that empty lines make of it."""
    return tuple(part.strip() for part in re.split(r"\n\s*\n", clean(text)) if part.strip())
