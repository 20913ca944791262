"""The facts that a condition reads, as a form names them, and their values as people type them. Pure functions.

Example: the units of credit are typed as 0.5 and kept as 50 hundredths; “Graduate” is kept as `graduate`.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from governance.people.kinds import UnitKind
from governance.policies.editing.conditions import Operator
from governance.policies.vocabulary import Action, FactName, Kind, Level, Value

LABELS: Final[dict[FactName, str | Promise]] = {
    FactName.ACTION: pgettext_lazy("field of a condition", "What it asks for"),
    FactName.KIND: pgettext_lazy("field of a condition", "Academic credit"),
    FactName.LEVEL: pgettext_lazy("field of a condition", "Level"),
    FactName.HOURS: pgettext_lazy("field of a condition", "Contact hours"),
    FactName.WEEKS: pgettext_lazy("field of a condition", "Weeks"),
    FactName.CREDIT_HUNDREDTHS: pgettext_lazy("field of a condition", "Units of credit"),
    FactName.PARTNERS: pgettext_lazy("field of a condition", "Number of partners"),
    FactName.NEW_RESOURCES: pgettext_lazy("field of a condition", "New resources"),
    FactName.UNIT: pgettext_lazy("field of a condition", "Host unit"),
    FactName.UNIT_KIND: pgettext_lazy("field of a condition", "Kind of host unit"),
}
NUMBERS: Final = {FactName.HOURS, FactName.WEEKS, FactName.CREDIT_HUNDREDTHS, FactName.PARTNERS}
_CHOICES: Final[dict[FactName, type[TextChoices]]] = {
    FactName.ACTION: Action,
    FactName.KIND: Kind,
    FactName.LEVEL: Level,
    FactName.UNIT_KIND: UnitKind,
}
_MANY: Final = {Operator.IN, Operator.NOT_IN}
_COMPARING: Final = {Operator.AT_LEAST, Operator.LESS_THAN}


class BadValue(ValueError):
    """What was typed is no value of the field; its text is the sentence for the person."""


def offered(name: FactName, units: Mapping[str, str]) -> dict[str, str]:
    """The values that a field can have, as they are typed, each with a remark; none for a number."""
    if name in _CHOICES:
        return {str(label): "" for _value, label in _CHOICES[name].choices}
    if name is FactName.UNIT:
        return dict(units)
    return {_yes(): "", _no(): ""} if name is FactName.NEW_RESOURCES else {}


def as_typed(name: FactName, values: Sequence[Value]) -> str:
    """Values as they stand in the form: "Undergraduate, Graduate"."""
    return ", ".join(_as_typed(name, value) for value in values)


def _as_typed(name: FactName, value: Value) -> str:
    if isinstance(value, bool):
        return _yes() if value else _no()
    if name is FactName.CREDIT_HUNDREDTHS and isinstance(value, int):
        return f"{Decimal(value) / 100:f}"
    if name in _CHOICES and value in _CHOICES[name].values:
        return str(_CHOICES[name](value).label)
    return str(value)


def values_in(words: str, name: FactName, operator: Operator, units: Mapping[str, str]) -> tuple[Value, ...]:
    """The values that somebody typed, several of them with commas between. Raises BadValue."""
    if operator in _COMPARING and name not in NUMBERS:
        raise BadValue(_("“%(field)s” is no number that could be compared") % {"field": LABELS[name]})
    # Between numbers a comma counts with a space after it only: it may be a decimal comma.
    typed = re.split(r"[;,]\s|;" if name in NUMBERS else r"[;,]", words) if operator in _MANY else [words]
    values = [_value_in(word.strip(), name, units) for word in typed if word.strip()]
    if not values:
        raise BadValue(_("Say what “%(field)s” is compared with") % {"field": LABELS[name]})
    return tuple(dict.fromkeys(values))


def _value_in(word: str, name: FactName, units: Mapping[str, str]) -> Value:
    if name in NUMBERS:
        return _number_in(word, name)
    known: dict[str, Value] = {}
    if name is FactName.NEW_RESOURCES:
        known = {_yes(): True, _no(): False, "true": True, "false": False}
    elif name is FactName.UNIT:
        known = {said: code for code, name in units.items() for said in (code, name)}
    else:
        known = {str(said): str(one[0]) for one in _CHOICES[name].choices for said in one}
    for said, value in known.items():
        if said.casefold() == word.casefold():
            return value
    choices = ", ".join(offered(name, units))
    raise BadValue(_("“%(field)s” is one of these: %(choices)s") % {"field": LABELS[name], "choices": choices})


def _number_in(word: str, name: FactName) -> int:
    if name is FactName.CREDIT_HUNDREDTHS:
        if not re.fullmatch(r"\d{1,4}([.,]\d{1,2})?", word):
            raise BadValue(_("“%(field)s” takes a number such as 0.5 or 1.0") % {"field": LABELS[name]})
        return int(Decimal(word.replace(",", ".")) * 100)
    if not re.fullmatch(r"\d{1,6}", word):
        raise BadValue(_("“%(field)s” takes a whole number, such as 36") % {"field": LABELS[name]})
    return int(word)


def _yes() -> str:
    return pgettext("value of a condition", "Yes")


def _no() -> str:
    return pgettext("value of a condition", "No")
