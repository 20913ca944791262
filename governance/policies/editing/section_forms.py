"""The forms of the sections that are one page each: the text, the basics, the duties, how long proposals are kept."""

from typing import Any, ClassVar, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from governance.forms import with_plain_line_ends
from governance.policies.conditions import Rule
from governance.policies.editing.fields import Clause, Day, Number, One, Several, Words
from governance.policies.editing.part import Data, Part, in_order
from governance.policies.rules import Duties, DutyRule, Resubmission, Resume
from governance.policies.vocabulary import Action, Ending

MOST_TEXT: Final = 400_000


class TextForm(Part):
    """The words that people read, as Markdown. They are kept as typed, spaces at the ends included."""

    text = forms.CharField(
        label=gettext_lazy("Text of the policy, in Markdown"),
        help_text=gettext_lazy(
            "A heading begins with ## and its number, a clause with its number in bold: **3.2** A proposal names …"
        ),
        strip=False,
        widget=forms.Textarea({"rows": 24, "cols": None}),
        error_messages={"required": gettext_lazy("Write the text of the policy")},
    )

    def clean_text(self) -> str:
        text = with_plain_line_ends(self.cleaned_data["text"])
        if len(text) > MOST_TEXT:
            said = {"length": len(text), "limit": MOST_TEXT}
            raise forms.ValidationError(
                _("The text is too long: it has %(length)d characters, and %(limit)d fit") % said
            )
        # What nobody changed stays as it was, whichever line ends it came with.
        stored = str(self.stored.get("text", ""))
        return stored if text == with_plain_line_ends(stored) else text


class BasicsForm(Part):
    """What the version is called, when it begins, and what it governs."""

    title = Words(gettext_lazy("Title"), missing=gettext_lazy("Give the title of the policy"), limit=200)
    effective_from = Day(
        gettext_lazy("First day"),
        missing=gettext_lazy("Say from which day it would be in force"),
        hint=gettext_lazy("From this day on, new proposals are sent under this version once it is adopted."),
    )
    governs = Several(
        gettext_lazy("It governs proposals that ask for"),
        Action.choices,
        missing=gettext_lazy("Say what it governs; at least one thing"),
    )

    def as_data(self) -> dict[str, Any]:
        return super().as_data() | {"governs": in_order(self.cleaned_data["governs"], self.stored.get("governs"))}


# ---- duties and resubmission


class DutyForm(Part):
    model: ClassVar[type[Rule]] = DutyRule

    allowed = One(
        "",
        [("no", pgettext_lazy("duty", "No")), ("yes", pgettext_lazy("duty", "Yes"))],
        missing=gettext_lazy("Say yes or no"),
        radios=True,
    )
    clause = Clause()

    def initial_of(self, stored: Data) -> dict[str, Any]:
        allowed = {True: "yes", False: "no"}.get(stored.get("allowed", ""))
        return super().initial_of(stored) | ({"allowed": allowed} if allowed else {})

    def as_data(self) -> dict[str, Any]:
        return super().as_data() | {"allowed": self.cleaned_data["allowed"] == "yes"}


class AuthorMayDecide(DutyForm):
    def set_up(self) -> None:
        self.fields["allowed"].label = _("May an author decide on their own proposal?")


class OnePersonManyStages(DutyForm):
    def set_up(self) -> None:
        self.fields["allowed"].label = _("May one person decide at several stages of a proposal?")


class ResubmissionForm(Part):
    model: ClassVar[type[Rule]] = Resubmission

    resume = One(
        gettext_lazy("A proposal that was returned and is sent again goes to"),
        [
            (Resume.RETURNING_STAGE.value, gettext_lazy("the stage that returned it")),
            (Resume.FIRST_STAGE.value, gettext_lazy("the first stage of its route")),
        ],
        missing=gettext_lazy("Say where it goes"),
        radios=True,
    )
    clause = Clause()


class DutiesForm(Part):
    model: ClassVar[type[Rule]] = Duties
    parts: ClassVar = {"author_may_decide": AuthorMayDecide, "one_person_many_stages": OnePersonManyStages}


class DutiesAndResubmissionForm(Part):
    """Which duties are kept apart, and where a returned proposal goes."""

    parts: ClassVar = {"duties": DutiesForm, "resubmission": ResubmissionForm}


# ---- retention


class KeptForm(Part):
    """How long proposals that ended in one way are kept."""

    NOT_SAID, FOR_GOOD, YEARS = "not-said", "for-good", "years"

    kept = One(
        gettext_lazy("They are kept"),
        [
            (NOT_SAID, pgettext_lazy("retention", "Not said")),
            (FOR_GOOD, pgettext_lazy("retention", "For good")),
            (YEARS, pgettext_lazy("retention", "For a number of years")),
        ],
    )
    years = Number(gettext_lazy("Years"), 1, 100)
    clause = Clause()

    def set_up(self) -> None:
        self.fields["clause"].required = self["kept"].value() != self.NOT_SAID
        self.fields["years"].required = self["kept"].value() == self.YEARS
        self.fields["years"].error_messages["required"] = _("Say for how many years")

    def initial_of(self, stored: Data) -> dict[str, Any]:
        kept = self.NOT_SAID if not stored else self.YEARS if stored.get("years") else self.FOR_GOOD
        return super().initial_of(stored) | {"kept": kept}

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if said.get("kept") == self.NOT_SAID:
            # What stands in the other boxes says nothing then.
            for name in ("years", "clause"):
                self.errors.pop(name, None)
        return said

    def rule(self, ending: str) -> dict[str, Any] | None:
        """The rule for one ending; None where nothing is said."""
        said = self.cleaned_data
        if said["kept"] == self.NOT_SAID:
            return None
        years = said["years"] if said["kept"] == self.YEARS else None
        return {"ending": ending, "years": years, "clause": said["clause"]}


class RetentionForm(Part):
    """How long proposals are kept, by how they ended."""

    parts: ClassVar = {ending.value: KeptForm for ending in Ending}

    def __init__(self, stored: Data, *args: Any, **given: Any) -> None:
        super().__init__({rule["ending"]: rule for rule in stored.get("retention") or []}, *args, **given)

    @property
    def endings(self) -> list[tuple[str, Any]]:
        """Each way to end, with its name."""
        return [(ending.value, ending.label) for ending in Ending]

    def as_data(self) -> dict[str, Any]:
        order = [*self.stored, *(ending.value for ending in Ending)]
        said = [
            rule
            for ending, part in self.inner.items()
            if isinstance(part, KeptForm) and (rule := part.rule(ending)) is not None
        ]
        return {"retention": sorted(said, key=lambda rule: order.index(rule["ending"]))}
