"""The filters above the record's events. They live in the address, so that a search can be kept, sent and run again."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from governance.audit.queries import Narrowing, people_called
from governance.dates import midnight
from governance.people.models import Body
from governance.policies.models import PolicyVersion
from workflows.auditing.explorer.kinds import KINDS, WORDS

# More people than these is a name too short to tell them apart.
MOST_PEOPLE: Final = 200
SYSTEM: Final = "system"
WRONG_DAY: Final = _("Write a day such as 2026-10-15")
# A day after or before it, in whichever time zone, is still one that a computer can write.
FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2999, 12, 31)


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "input"})
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=widget,
        error_messages={"invalid": WRONG_DAY},
        validators=[MinValueValidator(FIRST_DAY, WRONG_DAY), MaxValueValidator(LAST_DAY, WRONG_DAY)],
    )


def _choice(label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, widget=forms.Select(attrs={"class": "select"}))


class AuditForm(forms.Form):
    """What events are wanted. `narrowing` says it to the query, `narrows` whether anything is asked at all."""

    about = forms.CharField(
        label=_("Proposal or stream"),
        required=False,
        max_length=120,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "class": "input input--search",
                "placeholder": _("Reference, such as MC-2026-0014"),
                "autocomplete": "off",
            }
        ),
    )
    who = forms.CharField(
        label=_("Who acted"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "input", "placeholder": _("Name, or person/17"), "autocomplete": "off"}),
    )
    what = _choice(_("What happened"))
    body = _choice(_("Body"))
    policy = _choice(_("Policy version"))
    since = _day(_("From"))
    until = _day(_("To"))

    def __init__(self, asked: QueryDict, bodies: Iterable[Body], versions: Iterable[PolicyVersion]) -> None:
        super().__init__({name: asked.get(name, "").replace("\0", "") for name in self.base_fields}, auto_id="f-%s")
        self._choose(
            "what",
            _("Everything"),
            [
                (
                    str(name),
                    [(key, _("All: %(kind)s") % {"kind": name}), *((verb.value, said) for verb, said in verbs.items())],
                )
                for key, (name, verbs) in KINDS.items()
            ],
        )
        self._choose("body", _("Every body"), [(body.code, body.name) for body in bodies])
        self._choose("policy", _("Every version"), [(version.label, version.label) for version in versions])

    def _choose(self, name: str, everything: Any, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", everything), *choices]

    def clean_who(self) -> tuple[str, ...] | None:
        """The keys of the people meant: a key as it stands in the record, or all who are or were called so."""
        words: str = self.cleaned_data["who"].strip()
        if not words:
            return None
        if words.startswith("person/") or words == SYSTEM:
            return (words,)
        found = people_called(words)
        if len(found) > MOST_PEOPLE:
            raise forms.ValidationError(
                _("More than %(n)s people are called so. Write more of the name.") % {"n": MOST_PEOPLE}
            )
        return (*found, SYSTEM) if words.casefold() == "assent" else tuple(found)

    def clean_about(self) -> tuple[str, ...]:
        """The streams meant: one by its name, or those of a proposal by its reference."""
        words: str = self.cleaned_data["about"].strip()
        if "/" in words or words in {"log", "record"}:
            return (words,)
        reference = words.upper()
        return (f"proposal/{reference}", f"access/{reference}") if words else ()

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if said.get("since") and said.get("until") and said["until"] < said["since"]:
            self.add_error("until", _("The last day comes before the first"))
        return said

    def narrowing(self) -> Narrowing:
        """What is asked for, once the form is valid."""
        said = self.cleaned_data
        what = said["what"]
        return Narrowing(
            streams=said["about"],
            actors=said["who"],
            verbs=tuple(KINDS[what][1]) if what in KINDS else (what,) if what else (),
            body_code=said["body"],
            policy_version=said["policy"],
            since=midnight(said["since"]) if said["since"] else None,
            until=midnight(said["until"] + timedelta(days=1)) if said["until"] else None,
        )

    @property
    def others(self) -> list[forms.BoundField]:
        """Every filter but the first, which stands apart."""
        return [self[name] for name in self.fields if name != "about"]

    @property
    def narrows(self) -> bool:
        return any(self.data.values())

    @property
    def query(self) -> dict[str, str]:
        """What is asked, as an address says it."""
        return {name: value for name, value in self.data.items() if value}

    @property
    def reference(self) -> str:
        """The proposal that is searched for, if one is."""
        streams = self.cleaned_data.get("about", ())
        return streams[0].partition("/")[2] if len(streams) > 1 else ""

    @property
    def said(self) -> str:
        """What is asked, in a few words, for the name of a file's export on record: it stays there for good, so people
        are named by their keys."""
        shown = []
        for name, value in self.query.items():
            if name == "who":
                value = ", ".join(self.cleaned_data["who"]) or "–"
            word = WORDS.get(value) or (KINDS[value][0] if value in KINDS else value)  # type: ignore[call-overload]
            shown.append(f"{self.fields[name].label}: {word}")
        return "; ".join(shown)


class SearchForm(forms.Form):
    """The name that a search is kept under."""

    name = forms.CharField(
        label=_("Keep this search as"),
        max_length=80,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
        error_messages={"required": _("Give the search a name")},
    )
