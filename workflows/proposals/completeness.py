"""The check that stands before any human: what a draft still lacks, and the clause of the policy that asks for it.

Pure functions over the content and the rules; every gap names the field to go to.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from governance.policies.rules import Check, Question, Rules
from governance.policies.vocabulary import AnswerKind, UnitPlace
from workflows.proposals.content import FIELDS, FURTHER, NO, SECTIONS, YES, Content, Coverage, Part


@dataclass(frozen=True)
class Point:
    """Something that the policy asks of the content: where, what to do, the clause that asks for it, and whether it is
    `met`.

    `begun` when something stands there already, which may not be what the clause asks for, such as weights of 90 %.
    """

    field: str
    says: str
    clause: str
    met: bool
    begun: bool = False

    @property
    def section(self) -> str:
        return self.field.partition(".")[0]


def gaps(rules: Rules, content: Content, unit: UnitPlace, *, action: str) -> list[Point]:
    """Everything that the policy asks for and that the content lacks, in the policy's order."""
    return [point for point in asked(rules, content, unit, action=action) if not point.met]


def asked(rules: Rules, content: Content, unit: UnitPlace, *, action: str) -> list[Point]:
    """Everything that the policy asks of this content, in the policy's order: its requirements, then its questions."""
    facts = content.facts(action)
    required = [
        Point(
            field=requirement.field,
            says=requirement.says,
            clause=requirement.clause,
            met=CHECKS[requirement.check](_value(requirement.field, content), content, requirement.number),
            begun=_filled(_value(requirement.field, content)),
        )
        for requirement in rules.requires
        if requirement.when is None or requirement.when.holds(facts, unit)
    ]
    return required + [
        Point(
            field=f"{FURTHER}.{question.key}",
            says=_("Answer “%(question)s”") % {"question": question.text},
            clause=question.clause,
            met=_answered(question, content),
            begun=content.further.answer_to(question.key) is not None,
        )
        for question in questions(rules, content, unit, action=action)
        if question.required or not _answered(question, content)
    ]


def questions(rules: Rules, content: Content, unit: UnitPlace, *, action: str) -> list[Question]:
    """The further questions that the policy asks about this content."""
    facts = content.facts(action)
    return [question for question in rules.questions if question.when is None or question.when.holds(facts, unit)]


def _answered(question: Question, content: Content) -> bool:
    """Whether the answer is one to this question as it is asked now; an optional one may also be left open."""
    given = content.further.answer_to(question.key)
    if given is None or not given.answer.strip():
        return not question.required
    match question.kind:
        case AnswerKind.NUMBER:
            return re.fullmatch(r"-?\d+", given.answer) is not None
        case AnswerKind.YES_NO:
            return given.answer in (YES, NO)
        case AnswerKind.CHOICE:
            return given.answer in question.choices
    return True


def unknown_fields(rules: Rules) -> list[str]:
    """Fields that the rules name and the content does not have; a version that names one cannot be used.

    What is required is one field; what reopens an approval may also be a whole section, or the files.
    """
    required = [requirement.field for requirement in rules.requires if requirement.field not in FIELDS]
    known = {*FIELDS, *SECTIONS, "files"}
    return required + [name for rule in rules.reopens for name in rule.fields if name not in known]


def _value(path: str, content: Content) -> Any:
    section, _, name = path.partition(".")
    return getattr(content.section(section), name)


def _filled(value: Any) -> bool:
    if isinstance(value, Part):
        return any(_filled(getattr(value, name)) for name in type(value).model_fields if name != "key")
    if isinstance(value, tuple):
        return any(_filled(item) for item in value)
    return value is not None and str(value).strip() != "" and value is not False


def _count(value: Any) -> int:
    if isinstance(value, tuple):
        return sum(_filled(item) for item in value)
    return int(Decimal(value or 0))


def outcomes_not_assessed(content: Content) -> list[int]:
    """The numbers, as the author counts them, of the learning outcomes that no assessment assesses."""
    assessments = {assessment.key for assessment in content.assessment.assessments if _filled(assessment)}
    assessed = {
        cell.outcome
        for cell in content.assessment.alignment
        if cell.coverage is Coverage.ASSESSED and cell.assessment in assessments
    }
    return [
        number
        for number, outcome in enumerate(content.outcomes.outcomes, start=1)
        if _filled(outcome) and outcome.key not in assessed
    ]


def _every_outcome_assessed(content: Content) -> bool:
    return any(map(_filled, content.outcomes.outcomes)) and not outcomes_not_assessed(content)


def _supporter_or_reason(content: Content) -> bool:
    named = (supporter.name.strip() and supporter.organisation.strip() for supporter in content.need.supporters)
    return any(named) or bool(content.need.no_supporter_reason.strip())


def _consultations_answered(content: Content) -> bool:
    consulted = [item for item in content.partners.consultations if _filled(item)]
    return bool(consulted) and all(item.unit.strip() and item.answer.strip() for item in consulted)


def total_weight(content: Content) -> int:
    return sum(assessment.weight or 0 for assessment in content.assessment.assessments)


CHECKS: Final[dict[Check, Callable[[Any, Content, int | None], bool]]] = {
    Check.FILLED: lambda value, content, number: _filled(value),
    Check.AT_LEAST: lambda value, content, number: _count(value) >= (number or 0),
    Check.AT_MOST: lambda value, content, number: _count(value) <= (number or 0),
    Check.EVERY_OUTCOME_ASSESSED: lambda value, content, number: _every_outcome_assessed(content),
    Check.WEIGHTS_TOTAL_100: lambda value, content, number: total_weight(content) == 100,
    Check.SUPPORTER_OR_REASON: lambda value, content, number: _supporter_or_reason(content),
    Check.CONSULTATIONS_ANSWERED: lambda value, content, number: _consultations_answered(content),
}


def by_section(found: Iterable[Point]) -> dict[str, list[Point]]:
    """The points under the key of their section."""
    grouped: dict[str, list[Point]] = {}
    for point in found:
        grouped.setdefault(point.section, []).append(point)
    return grouped
