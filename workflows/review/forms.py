"""What people fill in on the reviewer's pages: filters, the decision with its conditions, a comment, a withdrawal."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from governance.policies.resolve import RouteStage
from governance.policies.rules import ChecklistItem
from governance.policies.vocabulary import Kind
from workflows.proposals.content import SECTIONS
from workflows.proposals.display import FILES
from workflows.proposals.models import Audience
from workflows.proposals.states import State
from workflows.review.actions import NewCondition
from workflows.review.lists import Narrow, Scope

Choice = tuple[str, str | Promise]

ROWS_OF_CONDITIONS: Final = 3
MOST_CONDITIONS: Final = 40


def local_path(request: HttpRequest, default: str) -> str:
    """The page of ours that the person came from, as the address or the form says it; never anybody else's."""
    path = request.POST.get("next") or request.GET.get("next") or ""
    safe = path.startswith("/") and url_has_allowed_host_and_scheme(
        path, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return path if safe else default


# ---- filters: they live in the address, and what cannot be read there narrows nothing


class NarrowForm(forms.Form):
    """The filters above a list of proposals."""

    q = forms.CharField(label=_("Find in this list"), required=False, max_length=200)
    unit = forms.ChoiceField(label=_("Faculty"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("Every kind")), *((kind.value, kind.label) for kind in Kind)]
    )

    def __init__(self, request: HttpRequest, units: Iterable[tuple[str, str]]) -> None:
        super().__init__(request.GET, auto_id="f-%s")
        self._choose("unit", [("", _("Every faculty")), *units])
        for field in self.fields.values():
            field.widget.attrs["class"] = "select"
        self.fields["q"].widget = forms.TextInput(
            attrs={"type": "search", "class": "input input--search", "placeholder": _("Title, reference or person")}
        )

    def _choose(self, name: str, choices: Sequence[Choice]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)

    def narrow(self) -> Narrow:
        self.is_valid()
        said = self.cleaned_data
        return Narrow(
            text=said.get("q", "").replace("\0", ""),
            body=said.get("body", ""),
            unit=said.get("unit", ""),
            kind=said.get("kind", ""),
            state=said.get("state", ""),
            since=said.get("since", ""),
            overdue=said.get("overdue") == "yes",
            sort=said.get("sort") or "due",
        )

    @property
    def selects(self) -> list[forms.BoundField]:
        """The filters that offer a choice."""
        return [
            field
            for field in self
            if isinstance(field.field, forms.ChoiceField) and len(list(cast(Iterable[Choice], field.field.choices))) > 2
        ]


class QueueForm(NarrowForm):
    """The filters of the queue."""

    body = forms.ChoiceField(label=_("Body"), required=False)
    since = forms.ChoiceField(
        label=_("What changed"),
        required=False,
        choices=[("", _("New and seen")), ("new", _("New to you")), ("changed", _("Changed since you looked"))],
    )
    overdue = forms.ChoiceField(label=_("Due"), required=False, choices=[("", _("Due any time")), ("yes", _("Late"))])
    sort = forms.ChoiceField(
        label=_("Sort"),
        required=False,
        choices=[("due", _("Due first")), ("longest", _("Longest with you")), ("newest", _("Newest first"))],
    )

    field_order = ("q", "body", "unit", "kind", "since", "overdue", "sort")

    def __init__(self, request: HttpRequest, scope: Scope, *, waiting: bool = True) -> None:
        super().__init__(request, scope.units)
        self._choose("body", [("", _("Every body")), *((seat.code, seat.name) for seat in scope.seats)])
        if not waiting:
            for name in ("since", "overdue", "sort"):
                del self.fields[name]

    @property
    def selects(self) -> list[forms.BoundField]:
        shown = super().selects
        late = [self["overdue"]] if "overdue" in self.fields else []
        return [field for field in self if field in shown or field in late]


class ProposalsForm(NarrowForm):
    """The filters of the lists of proposals."""

    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("Every state")), *((s.value, s.label) for s in State)]
    )
    field_order = ("q", "state", "kind", "unit")


# ---- the decision


class ConditionForm(forms.Form):
    """One condition of an approval; an empty row is no condition."""

    text = forms.CharField(label=_("Condition"), required=False, max_length=2_000, widget=forms.Textarea({"rows": 2}))
    due_on = forms.DateField(
        label=_("To be met by"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    owner = forms.CharField(label=_("By whom"), required=False, max_length=200)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if (said.get("due_on") or said.get("owner")) and not said.get("text"):
            self.add_error("text", _("Say what must be done"))
        return said


ConditionForms = forms.formset_factory(ConditionForm, extra=0, absolute_max=MOST_CONDITIONS, max_num=MOST_CONDITIONS)


class DecisionForm(forms.Form):
    """What a body answers at a stage. The buttons say which answer; this holds everything typed with it."""

    item = forms.IntegerField(widget=forms.HiddenInput)
    seen = forms.IntegerField(widget=forms.HiddenInput)
    next = forms.CharField(required=False, widget=forms.HiddenInput)
    reasons = forms.CharField(
        label=_("Reasons"), required=False, max_length=20_000, widget=forms.Textarea({"rows": 4, "class": "input"})
    )
    to_stage = forms.ChoiceField(label=_("If you return it, to"), required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        checklist: Sequence[ChecklistItem] = (),
        earlier: Sequence[RouteStage] = (),
        author: str = "",
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial, auto_id="d-%s")
        self.checklist = checklist
        for question in checklist:
            self.fields[f"confirmed-{question.key}"] = forms.BooleanField(label=question.text, required=False)
        self.fields["reasons"].help_text = _("Needed to return or decline. %(name)s and later reviewers see this.") % {
            "name": author
        }
        choice = self.fields["to_stage"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [
            ("", _("The author, %(name)s") % {"name": author}),
            *((stage.key, stage.label) for stage in earlier),
        ]
        rows = {"condition-TOTAL_FORMS": str(ROWS_OF_CONDITIONS), "condition-INITIAL_FORMS": "0"}
        self.conditions = ConditionForms(
            data if data is not None and "condition-TOTAL_FORMS" in data else rows, prefix="condition"
        )

    @property
    def confirmed(self) -> list[str]:
        return [question.key for question in self.checklist if self.cleaned_data.get(f"confirmed-{question.key}")]

    @property
    def new_conditions(self) -> list[NewCondition]:
        return [
            NewCondition(text=said["text"], due_on=said.get("due_on"), owner=said.get("owner", ""))
            for said in (row.cleaned_data for row in self.conditions)
            if said.get("text")
        ]

    @property
    def questions(self) -> list[tuple[ChecklistItem, forms.BoundField]]:
        return [(question, self[f"confirmed-{question.key}"]) for question in self.checklist]

    @property
    def shows_conditions(self) -> bool:
        """Whether any condition was begun, or room for more was asked for, so that their part stands open."""
        begun = (any(row[name].value() for name in row.fields) for row in self.conditions)
        return len(self.conditions.forms) > ROWS_OF_CONDITIONS or any(begun)

    @property
    def ticked(self) -> int:
        """How many questions are ticked as the page stands."""
        return sum(bool(self[f"confirmed-{question.key}"].value()) for question in self.checklist)

    def is_valid(self) -> bool:
        return super().is_valid() and self.conditions.is_valid()

    @property
    def to_fix(self) -> list[tuple[str, str]]:
        """Every error with the place it is about; in a list, apart from its box, an error names the question."""
        said, texts = _("%(label)s: %(words)s"), {f"confirmed-{one.key}": one.text for one in self.checklist}
        return [
            (
                field.id_for_label,
                said % {"label": error, "words": texts[field.name]} if field.name in texts else str(error),
            )
            for form in (self, *self.conditions.forms)
            for field in form
            for error in field.errors
        ]

    def with_more_rows(self) -> "DecisionForm":
        """The same form with everything typed in it and three more rows for conditions."""
        total = min(MOST_CONDITIONS, len(self.conditions.forms) + ROWS_OF_CONDITIONS)
        data = {name: self.data[name] for name in self.data} | {"condition-TOTAL_FORMS": str(total)}
        self.conditions = ConditionForms(data, prefix="condition")
        return self

    @property
    def typed(self) -> list[tuple[str | Promise, str]]:
        """The words in it, to be shown where the form itself has no place any more."""
        words = [(self.fields["reasons"].label or "", str(self.data.get("reasons", "")))]
        words += [(row.fields["text"].label or "", str(row["text"].value() or "")) for row in self.conditions]
        return [(label, text) for label, text in words if text.strip()]


# ---- comments and withdrawal


class CommentForm(forms.Form):
    """A remark on a section or on the whole, for one of the audiences that its writer may speak to."""

    text = forms.CharField(label=_("Comment"), required=False, max_length=5_000, widget=forms.Textarea({"rows": 3}))
    section = forms.ChoiceField(
        label=_("About"),
        required=False,
        choices=[
            ("", _("The whole proposal")),
            *((key, label) for key, (label, _part) in SECTIONS.items()),
            (FILES, _("Files")),
        ],
    )
    audience = forms.ChoiceField(label=_("Who may read it"))
    next = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, audiences: Sequence[Choice], section: str = "", **initial: Any) -> None:
        super().__init__(data, initial={"section": section, **initial}, auto_id=f"c-{section or 'whole'}-%s")
        audience = self.fields["audience"]
        assert isinstance(audience, forms.ChoiceField)
        audience.choices = list(audiences)
        audience.initial = audiences[-1][0] if audiences else Audience.EVERYONE


class WithdrawForm(forms.Form):
    """Why the author ends their own proposal."""

    reason = forms.CharField(
        label=_("Why you withdraw it"), required=False, max_length=20_000, widget=forms.Textarea({"rows": 3})
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, **initial: Any) -> None:
        super().__init__(data, initial=initial, auto_id="w-%s")

    @property
    def typed(self) -> list[tuple[str | Promise, str]]:
        reason = str(self.data.get("reason", ""))
        return [(self.fields["reason"].label or "", reason)] if reason.strip() else []


class SubmitForm(forms.Form):
    """What the author tells the reviewers when sending a submission."""

    seen = forms.IntegerField()
    note = forms.CharField(required=False, max_length=20_000)


class MoveForm(forms.Form):
    """Why proposals are moved to another policy version, beside the plan that the administrator was shown."""

    use_required_attribute = False

    reason = forms.CharField(
        label=_("Why they are moved"),
        help_text=_("It stands in the record of each proposal, and its author reads it."),
        max_length=20_000,
        error_messages={"required": _("Say why they are moved")},
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, data: QueryDict | None = None, **given: Any) -> None:
        super().__init__(data, auto_id="m-%s", **given)
        self._said = data if data is not None else QueryDict()

    @property
    def reason_given(self) -> str:
        return self._said.get("reason", "")

    @property
    def confirmed(self) -> tuple[str, dict[str, int]]:
        """The digest of the plan that was shown, and the lock version of each proposal in it."""
        shown = (each.rpartition(":") for each in self._said.getlist("seen"))
        seen = {reference: int(number) for reference, _colon, number in shown if number.isdecimal() and len(number) < 9}
        return self._said.get("plan", ""), seen
