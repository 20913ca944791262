"""What rules say in words that fit into a sentence: conditions, a stage's part, a vote, lists. Pure functions.

Example: `{all: [{field: kind, is: academic}, {field: level, is: graduate}]}` is “academic credit is asked for and the
level is graduate”.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, assert_never

from django.db.models import TextChoices
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from governance.people.kinds import UnitKind
from governance.policies.conditions import All, AnyOf, AtLeast, Condition, In, Is, LessThan, Not
from governance.policies.fields import field_in_words
from governance.policies.rules import Check, EffectCase, Requirement, Stage, Vote
from governance.policies.vocabulary import Action, Effect, FactName, Kind, Level, Value

# ---- lists


def both(words: list[str]) -> str:
    """ "a, b and c"."""
    return get_text_list(words, _("and"))


def either(words: list[str]) -> str:
    """ "a, b or c"."""
    return get_text_list(words, _("or"))


def quoted(words: str | Promise) -> str:
    return _("“%(words)s”") % {"words": words}


def each_quoted(words: Iterable[str | Promise]) -> list[str]:
    return [quoted(word) for word in words]


# ---- conditions


@dataclass(frozen=True)
class _Group:
    """Conditions of which all hold, or at least one; negations have been carried down to the comparisons."""

    all: bool
    parts: tuple["_Part", ...]


_Literal = Is | In | AtLeast | LessThan
# A comparison, and whether it is to hold.
_Part = _Group | tuple[_Literal, bool]

_NAMES: Final[dict[FactName, str | Promise]] = {
    FactName.ACTION: pgettext_lazy("in a condition", "the action"),
    FactName.KIND: pgettext_lazy("in a condition", "the kind"),
    FactName.LEVEL: pgettext_lazy("in a condition", "the level"),
    FactName.HOURS: pgettext_lazy("in a condition", "the number of contact hours"),
    FactName.WEEKS: pgettext_lazy("in a condition", "the number of weeks"),
    FactName.CREDIT_HUNDREDTHS: pgettext_lazy("in a condition", "the number of units of credit"),
    FactName.PARTNERS: pgettext_lazy("in a condition", "the number of partners"),
    FactName.NEW_RESOURCES: pgettext_lazy("in a condition", "the need for new resources"),
    FactName.UNIT: pgettext_lazy("in a condition", "the host unit"),
    FactName.UNIT_KIND: pgettext_lazy("in a condition", "the kind of host unit"),
}
_CHOICES: Final[dict[FactName, type[TextChoices]]] = {
    FactName.ACTION: Action,
    FactName.KIND: Kind,
    FactName.LEVEL: Level,
    FactName.UNIT_KIND: UnitKind,
}
# Facts of which there are two, each with a sentence of its own.
_OPPOSITES: Final[dict[tuple[FactName, Value], tuple[str | Promise, Value]]] = {
    (FactName.KIND, Kind.ACADEMIC.value): (gettext_lazy("academic credit is asked for"), Kind.NON_ACADEMIC.value),
    (FactName.KIND, Kind.NON_ACADEMIC.value): (gettext_lazy("no academic credit is asked for"), Kind.ACADEMIC.value),
    (FactName.NEW_RESOURCES, True): (gettext_lazy("new resources are needed"), False),
    (FactName.NEW_RESOURCES, False): (gettext_lazy("no new resources are needed"), True),
}


def condition_in_words(condition: Condition) -> str:
    """A condition as words that go on after “where”: "academic credit is asked for and the level is graduate"."""
    return _in_words(_without_not(condition, holds=True))


def _without_not(condition: Condition, *, holds: bool) -> _Part:
    """The condition with every `not` carried down to the comparisons, and groups within their like dissolved."""
    match condition:
        case Not():
            return _without_not(condition.not_, holds=not holds)
        case All() | AnyOf():
            inner = condition.all if isinstance(condition, All) else condition.any
            all_of = isinstance(condition, All) == holds
            parts: list[_Part] = []
            for one in inner:
                part = _without_not(one, holds=holds)
                parts += part.parts if isinstance(part, _Group) and part.all == all_of else [part]
            return parts[0] if len(parts) == 1 else _Group(all_of, tuple(parts))
        case Is() | In() | AtLeast() | LessThan():
            return condition, holds
        case _:
            assert_never(condition)


def _in_words(part: _Part) -> str:
    """Two levels are said in words; what lies deeper, which nobody could follow otherwise, is put in brackets."""
    if not isinstance(part, _Group):
        return _comparison(*part)
    bare = any(isinstance(one, _Group) and _is_plain(one) for one in part.parts)
    words = []
    for one in part.parts:
        if not isinstance(one, _Group):
            words.append(_comparison(*one))
        elif not _is_plain(one):
            words.append(_("(%(condition)s)") % {"condition": _in_words(one)})
        else:
            inner = _in_words(one)
            words.append(inner if one.all else _("either %(conditions)s") % {"conditions": inner})
    if not bare:
        return both(words) if part.all else either(words)
    joined = words[0]
    for word in words[1:]:
        said = {"before": joined, "last": word}
        joined = _("%(before)s, and %(last)s") % said if part.all else _("%(before)s, or %(last)s") % said
    return joined


def _is_plain(group: _Group) -> bool:
    return not any(isinstance(part, _Group) for part in group.parts)


def _comparison(condition: _Literal, holds: bool) -> str:
    name = condition.field
    match condition:
        case Is():
            return _one_of(name, (condition.is_,), holds)
        case In():
            return _one_of(name, condition.in_, holds)
        case AtLeast():
            return _measured(name, condition.at_least, at_least=holds)
        case LessThan():
            return _measured(name, condition.less_than, at_least=not holds)
        case _:
            assert_never(condition)


def _measured(name: FactName, number: int, *, at_least: bool) -> str:
    said = {"what": _NAMES[name], "number": value_in_words(name, number)}
    return _("%(what)s is at least %(number)s") % said if at_least else _("%(what)s is less than %(number)s") % said


def _one_of(name: FactName, values: tuple[Value, ...], holds: bool) -> str:
    opposite = _OPPOSITES.get((name, values[0])) if len(values) == 1 else None
    if opposite is not None:
        sentence, other = opposite
        return str(sentence if holds else _OPPOSITES[name, other][0])
    words = [value_in_words(name, value) for value in values]
    if holds:
        return _("%(what)s is %(value)s") % {"what": _NAMES[name], "value": either(words)}
    if len(words) == 1:
        return _("%(what)s is not %(value)s") % {"what": _NAMES[name], "value": words[0]}
    said = {"what": _NAMES[name], "values": ", ".join(words[:-1]), "last": words[-1]}
    return _("%(what)s is neither %(values)s nor %(last)s") % said


def value_in_words(name: FactName, value: Value) -> str:
    """One value that a condition compares with, as people say it; unknown words stand in quotation marks."""
    choices = _CHOICES.get(name)
    if choices is not None and value in choices.values:
        return str(choices(value).label).lower()
    if isinstance(value, bool):
        return quoted(_("yes") if value else _("no"))
    if name is FactName.CREDIT_HUNDREDTHS and isinstance(value, int):
        return number_format((Decimal(value) / 100).normalize(), use_l10n=True)
    return str(value) if isinstance(value, int) or name is FactName.UNIT else quoted(value)


# ---- a stage's part

_FOR_EVERY: Final[dict[Effect, str | Promise]] = {
    Effect.DECIDE: gettext_lazy("decides for every proposal"),
    Effect.RECOMMEND: gettext_lazy("recommends for every proposal"),
    Effect.ADVISE: gettext_lazy("advises on every proposal"),
    Effect.RECEIVE: gettext_lazy("receives every proposal for information"),
}


def does(effect: Effect) -> str:
    """The effect as a verb: "decides"."""
    return str(effect.label).lower()


def effect_in_words(effect: Effect, when: Condition | None) -> str:
    """ "decides for every proposal", or "decides only where academic credit is asked for"."""
    if when is None:
        return str(_FOR_EVERY[effect])
    return _("%(does)s only where %(condition)s") % {"does": does(effect), "condition": condition_in_words(when)}


def one_after_another(parts: Iterable[str]) -> str:
    """Parts of a sentence that do not depend on each other, without those that say nothing."""
    return pgettext("between parts of a sentence", "; ").join(filter(None, parts))


def cases_in_words(cases: Sequence[EffectCase]) -> str:
    """ "decides where academic credit is asked for; recommends in all other cases"."""
    words = []
    for case in cases:
        if case.when is None:
            words.append(_("%(does)s in all other cases") % {"does": does(case.effect)})
        else:
            said = {"does": does(case.effect), "condition": condition_in_words(case.when)}
            words.append(_("%(does)s where %(condition)s") % said)
    return one_after_another(words)


def part_in_words(stage: Stage) -> str:
    """What a stage does and for which proposals, to go on after its name."""
    if isinstance(stage.effect, Effect):
        return effect_in_words(stage.effect, stage.when)
    cases = cases_in_words(stage.effect)
    if stage.when is None:
        return cases
    said = {"cases": cases, "condition": condition_in_words(stage.when)}
    return _("%(cases)s; it has a part only where %(condition)s") % said


def quorum_in_words(vote: Vote) -> str:
    """ "25", or "40 % of its members"."""
    if vote.quorum is not None:
        return str(vote.quorum)
    return _("%(percent)s %% of its members") % {"percent": vote.quorum_percent}


def days_in_words(days: int) -> str:
    return ngettext("%(days)s working day", "%(days)s working days", days) % {"days": days}


# ---- what a requirement looks for

_LOOKS_FOR: Final[dict[Check, str | Promise]] = {
    Check.FILLED: gettext_lazy("an answer"),
    Check.EVERY_OUTCOME_ASSESSED: gettext_lazy("an assessment for every learning outcome"),
    Check.WEIGHTS_TOTAL_100: gettext_lazy("weights that add up to 100 %"),
    Check.SUPPORTER_OR_REASON: gettext_lazy("a supporter, or the reason why there is none"),
    Check.CONSULTATIONS_ANSWERED: gettext_lazy("an answer of every unit consulted"),
}


def check_in_words(requirement: Requirement) -> str:
    """What the requirement looks for in its field: "at least 6"."""
    if requirement.check is Check.AT_LEAST:
        return _("at least %(number)s") % {"number": requirement.number}
    if requirement.check is Check.AT_MOST:
        return _("at most %(number)s") % {"number": requirement.number}
    return str(_LOOKS_FOR[requirement.check])


def fields_in_words(paths: Iterable[str]) -> list[str]:
    return each_quoted(field_in_words(path) for path in paths)
