"""An example proposal, whose route a page draws: "a graduate one for 3 units of credit, from Engineering".

Only what conditions of the version read is asked for, beside what people always want to choose.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.people.models import Unit
from governance.policies.classes import conditions_of
from governance.policies.conditions import literals
from governance.policies.queries import place_of
from governance.policies.resolve import Route, resolve
from governance.policies.rules import Rules
from governance.policies.vocabulary import Action, FactName, Facts, Kind, Level

ALWAYS: Final = frozenset({"kind", "level", "unit", "hours", "credit"})
READ_AS: Final = {
    "action": FactName.ACTION,
    "weeks": FactName.WEEKS,
    "partners": FactName.PARTNERS,
    "new_resources": FactName.NEW_RESOURCES,
}


class ExampleForm(forms.Form):
    """The facts of an example, in the query of the page's address."""

    action = forms.ChoiceField(label=_("Action"), choices=Action)
    kind = forms.ChoiceField(label=_("Academic credit"), choices=Kind)
    level = forms.ChoiceField(label=_("Level"), choices=Level)
    unit = forms.ChoiceField(label=_("Host unit"))
    hours = forms.IntegerField(label=_("Contact hours"), min_value=0, max_value=2_000, initial=36)
    weeks = forms.IntegerField(label=_("Weeks"), min_value=0, max_value=156, initial=6)
    credit = forms.DecimalField(
        label=_("Units of credit"), min_value=0, max_digits=5, decimal_places=2, initial=Decimal("0.5")
    )
    partners = forms.IntegerField(label=_("Partners"), min_value=0, max_value=100, initial=0)
    new_resources = forms.BooleanField(label=_("New resources are needed"), required=False)

    def __init__(self, data: Mapping[str, Any] | None, *, rules: Rules, units: list[Unit]) -> None:
        super().__init__(data, auto_id="example-%s")
        self.rules = rules
        self.fields["unit"].choices = [(unit.code, unit.name) for unit in units]  # type: ignore[attr-defined]
        self.units = {unit.code: unit for unit in units}
        read = {literal.field for _key, condition in conditions_of(rules) for literal in literals(condition)}
        for name in list(self.fields):
            if name not in ALWAYS and READ_AS[name] not in read:
                del self.fields[name]

    def route(self) -> Route | None:
        """The route of the example; None before somebody has described one that can be."""
        if not self.is_bound or not self.is_valid():
            return None
        said = dict(self.cleaned_data)
        unit = place_of(self.units[said.pop("unit")])
        facts = Facts(credit_hundredths=int(said.pop("credit") * 100), **said)
        return resolve(self.rules, facts, unit)
