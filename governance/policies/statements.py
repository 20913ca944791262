"""Every rule of a policy version as a sentence of its own, with the clause it carries out. Pure functions.

Example: under clause 4.5 stands "“Senate” decides for every proposal." The page of a version shows these, and the
comparison of two versions says which of them are new, gone or under another clause.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from governance.policies.conditions import Condition
from governance.policies.rules import (
    ChecklistItem,
    Due,
    Duties,
    Question,
    Reopening,
    Requirement,
    Resubmission,
    Resume,
    Retention,
    Rules,
    Stage,
    Vote,
)
from governance.policies.sentences import (
    both,
    condition_in_words,
    days_in_words,
    each_quoted,
    either,
    fields_in_words,
    part_in_words,
    quorum_in_words,
)
from governance.policies.vocabulary import Outcome


class RuleKind(TextChoices):
    """What a rule is about, in a word."""

    ROUTE = "route", gettext_lazy("Route")
    CHECK = "check", gettext_lazy("Check")
    TARGET = "target", gettext_lazy("Target")
    VOTE = "vote", gettext_lazy("Vote")
    DUTIES = "duties", gettext_lazy("Duties")
    REQUIREMENT = "requirement", gettext_lazy("Before sending")
    QUESTION = "question", gettext_lazy("Further question")
    REOPENING = "reopening", gettext_lazy("Reopening")
    RETENTION = "retention", gettext_lazy("Keeping")
    SCOPE = "scope", gettext_lazy("Scope")
    DATE = "date", gettext_lazy("Date")

    @property
    def icon(self) -> str:
        return _LOOKS[self].icon

    @property
    def changes(self) -> str:
        """What to call a change of such a rule: "Changes the route"."""
        return str(_LOOKS[self].changes)


class _Look(NamedTuple):
    icon: str
    changes: str | Promise


_LOOKS = {
    RuleKind.ROUTE: _Look("route", gettext_lazy("Changes the route")),
    RuleKind.CHECK: _Look("list-checks", gettext_lazy("Changes a check")),
    RuleKind.TARGET: _Look("clock", gettext_lazy("Changes a target")),
    RuleKind.VOTE: _Look("vote", gettext_lazy("Changes a vote")),
    RuleKind.DUTIES: _Look("users", gettext_lazy("Changes the duties")),
    RuleKind.REQUIREMENT: _Look("file-check", gettext_lazy("Changes what is required")),
    RuleKind.QUESTION: _Look("circle-help", gettext_lazy("Changes a further question")),
    RuleKind.REOPENING: _Look("rotate-ccw", gettext_lazy("Changes what reopens")),
    RuleKind.RETENTION: _Look("inbox", gettext_lazy("Changes how long it is kept")),
    RuleKind.SCOPE: _Look("scale", gettext_lazy("Changes the scope")),
    RuleKind.DATE: _Look("calendar", gettext_lazy("Changes a date")),
}


@dataclass(frozen=True)
class Statement:
    """One thing the system does because of a clause."""

    clause: str
    kind: RuleKind
    sentence: str


def statements(rules: Rules) -> Iterator[Statement]:
    """Every rule in the order of the document."""
    names = stage_names(rules)
    for stage in rules.route:
        yield stage_statement(stage)
        yield from details(stage, rules)
    yield from map(requirement_statement, rules.requires)
    yield from map(question_statement, rules.questions)
    yield from duty_statements(rules.duties)
    yield resubmission_statement(rules.resubmission)
    for reopening in rules.reopens:
        yield reopening_statement(reopening, names)
    yield from map(retention_statement, rules.retention)


def stage_names(rules: Rules) -> dict[str, str]:
    """What people call each stage, by its key."""
    return {stage.key: stage.label for stage in rules.route}


# ---- the route


def stage_statement(stage: Stage) -> Statement:
    sentence = _("“%(stage)s” %(part)s.") % {"stage": stage.label, "part": part_in_words(stage)}
    return Statement(stage.clause, RuleKind.ROUTE, sentence)


def details(stage: Stage, rules: Rules) -> Iterator[Statement]:
    """The rules of a stage beside its part in the route."""
    beside = companions(stage, rules)
    if beside:
        sentence = _("“%(stage)s” stands side by side with %(others)s.")
        others = both(each_quoted(other.label for other in beside))
        yield Statement(stage.clause, RuleKind.ROUTE, sentence % {"stage": stage.label, "others": others})
    if stage.mandatory:
        sentence = _("No proposal is approved around “%(stage)s”.")
        yield Statement(stage.clause, RuleKind.ROUTE, sentence % {"stage": stage.label})
    missing = [outcome.label for outcome in Outcome if outcome not in stage.outcomes]
    if missing:
        sentence = _("“%(stage)s” cannot answer %(answers)s.")
        said = {"stage": stage.label, "answers": either(each_quoted(missing))}
        yield Statement(stage.clause, RuleKind.ROUTE, sentence % said)
    yield due_statement(stage, stage.due)
    if stage.vote is not None:
        yield vote_statement(stage, stage.vote)
    for item in stage.checklist:
        yield item_statement(stage, item)


def companions(stage: Stage, rules: Rules) -> list[Stage]:
    """The other stages of its wave, which stand side by side with it."""
    if stage.wave is None:
        return []
    return [other for other in rules.route if other.wave == stage.wave and other.key != stage.key]


def due_statement(stage: Stage, due: Due) -> Statement:
    said = {"stage": stage.label, "days": days_in_words(due.working_days)}
    return Statement(due.clause, RuleKind.TARGET, _("“%(stage)s” answers within %(days)s.") % said)


def vote_statement(stage: Stage, vote: Vote) -> Statement:
    sentence = _("“%(stage)s” votes with a quorum of %(quorum)s; a motion is carried by %(share)s of %(voters)s.")
    said = {"quorum": quorum_in_words(vote), "share": vote.carries.label, "voters": vote.of.label}
    return Statement(vote.clause, RuleKind.VOTE, sentence % {"stage": stage.label, **said})


def item_statement(stage: Stage, item: ChecklistItem) -> Statement:
    sentence = _("%(label)s: %(words)s") if item.required else _("%(label)s, optional: %(words)s")
    rule = sentence % {"label": stage.label, "words": item.text}
    if item.evidence is not None:
        rule = _("%(rule)s Evidence wanted: %(evidence)s.") % {"rule": rule, "evidence": item.evidence}
    return Statement(item.clause, RuleKind.CHECK, rule)


def resubmission_statement(rule: Resubmission) -> Statement:
    sentence = (
        _("A returned proposal goes back to the stage that returned it.")
        if rule.resume is Resume.RETURNING_STAGE
        else _("A returned proposal begins again at its first stage.")
    )
    return Statement(rule.clause, RuleKind.ROUTE, sentence)


# ---- what a proposal says


def requirement_statement(rule: Requirement) -> Statement:
    return Statement(rule.clause, RuleKind.REQUIREMENT, _asked(rule.says, rule.when))


def question_statement(rule: Question) -> Statement:
    answer = either(each_quoted(rule.choices)) if rule.choices else str(rule.kind.label).lower()
    sentence = _("“%(text)s” Answer: %(answer)s") if rule.required else _("“%(text)s” Answer, if any: %(answer)s")
    words = sentence % {"text": rule.text, "answer": answer}
    return Statement(rule.clause, RuleKind.QUESTION, _asked(words, rule.when))


def _asked(words: str, when: Condition | None) -> str:
    if when is None:
        return words
    return _("%(words)s, where %(condition)s") % {"words": words, "condition": condition_in_words(when)}


def reopening_statement(rule: Reopening, names: Mapping[str, str]) -> Statement:
    sentence = _("A change to %(fields)s asks for the approval of %(stages)s again.") % {
        "fields": either(fields_in_words(rule.fields)),
        "stages": both(each_quoted(names.get(key, key) for key in rule.stages)),
    }
    return Statement(rule.clause, RuleKind.REOPENING, sentence)


# ---- the rest


def duty_statements(duties: Duties) -> tuple[Statement, Statement]:
    author, stages = duties.author_may_decide, duties.one_person_many_stages
    return (
        Statement(
            author.clause,
            RuleKind.DUTIES,
            _("An author may decide on their own proposal.")
            if author.allowed
            else _("Nobody decides on a proposal that they wrote."),
        ),
        Statement(
            stages.clause,
            RuleKind.DUTIES,
            _("One person may decide several stages of a proposal.")
            if stages.allowed
            else _("Nobody decides two stages of one proposal."),
        ),
    )


def retention_statement(rule: Retention) -> Statement:
    sentence = _("A proposal that ended as “%(ending)s” is kept for good.")
    if rule.years is not None:
        sentence = ngettext(
            "A proposal that ended as “%(ending)s” is kept for %(years)s year.",
            "A proposal that ended as “%(ending)s” is kept for %(years)s years.",
            rule.years,
        )
    said = {"ending": rule.ending.label, "years": rule.years}
    return Statement(rule.clause, RuleKind.RETENTION, sentence % said)
