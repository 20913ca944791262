"""Two versions of one section: what differs, field by field, and the section that a person's choices make of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from workflows.proposals.content import SECTIONS, Alignment, Content, FieldSpec, Part, fields_of
from workflows.proposals.display import in_words

Words = str | Promise
Lines = list[tuple[Words, str]]


@dataclass(frozen=True)
class Difference:
    """A field that says one thing as saved and another as typed; a list is one field."""

    name: str
    label: Words
    saved: list[Lines]
    typed: list[Lines]


def differences(section: str, content: Content, saved: Part, typed: Part) -> list[Difference]:
    """The fields of a section that differ. `content` names the outcomes that the matrix refers to."""
    return [
        Difference(
            name=spec.name,
            label=spec.says.label,
            saved=_shown(spec, getattr(saved, spec.name), content, saved),
            typed=_shown(spec, getattr(typed, spec.name), content, typed),
        )
        for spec in fields_of(SECTIONS[section][1], section)
        if getattr(saved, spec.name) != getattr(typed, spec.name)
    ]


def chosen(section: str, saved: Part, typed: Part, choices: Mapping[str, str]) -> dict[str, Any]:
    """The section in which each field is the typed or the saved one; what was typed stands where nothing was chosen."""
    part = SECTIONS[section][1]
    return {
        name: (saved if choices.get(name) == "saved" else typed).model_dump(mode="json")[name]
        for name in part.model_fields
    }


def _shown(spec: FieldSpec, value: Any, content: Content, part: Part) -> list[Lines]:
    """A value in words: one group of lines, or one for each item of a list."""
    if spec.item is Alignment:
        return [[_covered(cell, content, part) for cell in value]] if value else []
    if spec.item is not None:
        inner = list(fields_of(spec.item))
        groups = [[(each.says.label, in_words(getattr(item, each.name), each)) for each in inner] for item in value]
        return [[(label, words) for label, words in lines if words] for lines in groups]
    words = in_words(value, spec)
    return [[("", words)]] if words else []


def _covered(cell: Alignment, content: Content, part: Part) -> tuple[Words, str]:
    outcomes = {outcome.key: number for number, outcome in enumerate(content.outcomes.outcomes, start=1)}
    titles = {assessment.key: assessment.title for assessment in getattr(part, "assessments", ())}
    label = _("Outcome %(number)s, %(assessment)s") % {
        "number": outcomes.get(cell.outcome, "?"),
        "assessment": titles.get(cell.assessment) or cell.assessment,
    }
    return label, str(cell.coverage.label)
