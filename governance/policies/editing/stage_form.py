"""The form of one stage: who sits there, what the answer does and when, how it is decided, by when, after what."""

from collections.abc import Collection
from itertools import count
from typing import Any, ClassVar

from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from governance.policies.conditions import Rule
from governance.policies.editing.condition_form import ConditionLines, when
from governance.policies.editing.fields import Clause, Key, Number, One, Several, Words, YesNo
from governance.policies.editing.part import Data, ListOf, Part, Rows, in_order
from governance.policies.rules import Due, Stage, Vote
from governance.policies.vocabulary import Carries, DecidesBy, Effect, Outcome, Voters

OUTCOMES = [
    (Outcome.APPROVE.value, pgettext_lazy("stage may", "Approve")),
    (Outcome.APPROVE_WITH_CONDITIONS.value, pgettext_lazy("stage may", "Approve with conditions")),
    (Outcome.RETURN.value, pgettext_lazy("stage may", "Return for changes")),
    (Outcome.DECLINE.value, pgettext_lazy("stage may", "Decline")),
]


class KeyedPart(Part):
    """A part with a key of its own among its neighbours; without one typed, it is made from the words."""

    words: ClassVar = "label"

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if "key" in said and not said["key"]:
            said["key"] = free_key(said.get(self.words) or "", self.offered.taken)
        elif said.get("key") in self.offered.taken:
            self.add_error("key", _("“%(key)s” stands for another one already") % {"key": said["key"]})
        return said


def free_key(words: str, taken: Collection[str]) -> str:
    """A key made from words, with a number where another one has it."""
    key = slugify(words)[:50].strip("-") or "item"
    return key if key not in taken else next(one for n in count(2) if (one := f"{key}-{n}") not in taken)


class BodyForm(Part):
    kind = Key(
        gettext_lazy("Kind of body"),
        missing=gettext_lazy("Say which kind of body sits at this stage"),
        hint=gettext_lazy("Choose one that is set up, or write the kind of one that will be."),
    )
    of_the_unit = YesNo(
        gettext_lazy("The one that serves the proposal’s unit"),
        hint=gettext_lazy("Without this tick it is the institution’s only body of the kind."),
    )

    def set_up(self) -> None:
        self.fields["kind"].widget.attrs["list"] = "kinds"

    def initial_of(self, stored: Data) -> dict[str, Any]:
        return super().initial_of(stored) | {"of_the_unit": stored.get("of") is not None}

    def as_data(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {"kind": said["kind"], "of": "proposal.unit" if said["of_the_unit"] else None}


class CaseForm(Part):
    """One row of the approval matrix for a stage."""

    effect = One(gettext_lazy("Its answer"), missing=gettext_lazy("Say what its answer does"))
    lists: ClassVar = {"when": when(gettext_lazy("When"), gettext_lazy("Without a condition: in all other cases."))}

    def set_up(self) -> None:
        self.fields["effect"].choices = [("", _("Choose one")), *Effect.choices]  # type: ignore[attr-defined]


class VoteForm(Part):
    model: ClassVar[type[Rule]] = Vote

    quorum = Number(gettext_lazy("Quorum"), 1, 1_000, missing=gettext_lazy("Say how many members must be there"))
    counted = One(
        gettext_lazy("Counted in"),
        [
            ("quorum", pgettext_lazy("quorum in", "members")),
            ("quorum_percent", pgettext_lazy("quorum in", "per cent of the members")),
        ],
    )
    carries = One(gettext_lazy("A motion is carried by"), Carries.choices)
    of = One(gettext_lazy("Counted of"), Voters.choices)
    clause = Clause()

    def initial_of(self, stored: Data) -> dict[str, Any]:
        percent = stored.get("quorum_percent")
        counted = {"quorum": percent, "counted": "quorum_percent"} if percent else {"counted": "quorum"}
        return super().initial_of(stored) | counted

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if said.get("counted") == "quorum_percent" and (said.get("quorum") or 0) > 100:
            self.add_error("quorum", _("There is no more than 100 % of the members"))
        return said

    def as_data(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {
            (said["counted"] or "quorum"): said["quorum"],
            "carries": said["carries"] or Carries.MAJORITY,
            "of": said["of"] or Voters.PRESENT,
            "clause": said["clause"],
        }


class DueForm(Part):
    model: ClassVar[type[Rule]] = Due

    working_days = Number(
        gettext_lazy("Working days to answer"),
        1,
        250,
        missing=gettext_lazy("Say within how many working days it answers"),
        hint=gettext_lazy("Weekends and the institution’s holidays do not count."),
    )
    clause = Clause()


class ChecklistForm(Part):
    text = Words(
        gettext_lazy("What the stage confirms"), missing=gettext_lazy("Say what the stage confirms"), long=True
    )
    clause = Clause()
    evidence = Words(gettext_lazy("Evidence wanted"))
    required = YesNo(gettext_lazy("It cannot approve without this"), ticked=True)
    key = Key(gettext_lazy("Key"), hint=gettext_lazy("Left empty, it is made from the words."))


class Checklist(Rows):
    """The questions of a stage, each with a key of its own."""

    def compare(self) -> None:
        seen: set[str] = set()
        for row in self.written:
            key = row.cleaned_data.get("key")
            if key in seen:
                row.add_error("key", _("“%(key)s” stands for another one already") % {"key": key})
            elif key:
                seen.add(key)

    def as_data(self) -> list[dict[str, Any]]:
        items = [row.as_data() for row in self.written]
        taken = {item["key"] for item in (*items, *self.beyond)}
        for item in items:
            item["key"] = item["key"] or free_key(item["text"], taken)
            taken.add(item["key"])
        return items + self.beyond


class StageForm(KeyedPart):
    """One stage of the route."""

    model: ClassVar[type[Rule]] = Stage
    parts: ClassVar = {"body": BodyForm, "vote": VoteForm, "due": DueForm}
    lists: ClassVar = {
        "when": when(
            gettext_lazy("It has a part when"), gettext_lazy("Without a condition it has a part in every proposal.")
        ),
        "cases": ListOf(
            CaseForm,
            label=gettext_lazy("Cases"),
            hint=gettext_lazy("The first case that fits counts. Where none fits, the stage has no part."),
            one=gettext_lazy("Case"),
            add=gettext_lazy("Add case"),
            remove=gettext_lazy("Remove case %(number)s"),
            least=1,
        ),
        "checklist": ListOf(
            ChecklistForm,
            label=gettext_lazy("Checklist"),
            hint=gettext_lazy("What the stage confirms before it approves."),
            one=gettext_lazy("Question"),
            add=gettext_lazy("Add question"),
            remove=gettext_lazy("Remove question %(number)s"),
            rows=Checklist,
        ),
    }

    label = Words(gettext_lazy("Name"), missing=gettext_lazy("Name the stage"), limit=200)
    key = Key(
        gettext_lazy("Key"),
        hint=gettext_lazy("What comparisons and standing approvals go by. Left empty, it is made from the name."),
    )
    clause = Clause()
    effect_is = One(
        gettext_lazy("What its answer does"),
        [
            ("one", pgettext_lazy("effect", "The same for every proposal")),
            ("cases", pgettext_lazy("effect", "It depends on the proposal")),
        ],
        missing=gettext_lazy("Say whether its answer does the same for every proposal"),
        radios=True,
    )
    effect = One(gettext_lazy("Its answer"), Effect.choices)
    wave = Key(
        gettext_lazy("Wave"),
        hint=gettext_lazy("Stages next to each other with the same word here sit side by side."),
    )
    mandatory = YesNo(
        gettext_lazy("Nothing is approved without it"),
        hint=gettext_lazy("A version in which some proposal gets around this stage cannot be adopted."),
    )
    decides_by = One(
        gettext_lazy("Whose answer counts"),
        DecidesBy.choices,
        missing=gettext_lazy("Say whose answer counts"),
        radios=True,
    )
    outcomes = Several(
        gettext_lazy("It may"), OUTCOMES, missing=gettext_lazy("Say what the stage may answer; approving is a must")
    )

    def set_up(self) -> None:
        self.fields["wave"].widget.attrs["list"] = "waves"
        stored = self.stored.get("effect")
        cases, known = self.inner["cases"], [case.get("when") for case in stored or () if isinstance(case, dict)]
        assert isinstance(cases, Rows)
        for case in cases.rows:
            lines = case.inner["when"]
            assert isinstance(lines, ConditionLines)
            lines.know(known)

    def rows_stored(self, name: str) -> Any:
        effect = self.stored.get("effect")
        if name == "cases":
            return effect if isinstance(effect, list) else []
        return super().rows_stored(name)

    def initial_of(self, stored: Data) -> dict[str, Any]:
        effect = stored.get("effect", Effect.RECOMMEND)
        one = isinstance(effect, str)
        return {
            "decides_by": DecidesBy.ONE,
            "outcomes": [value for value, _label in OUTCOMES],
            **super().initial_of(stored),
            "effect_is": "one" if one else "cases",
            "effect": effect if one else Effect.RECOMMEND,
        }

    def asks_for(self, name: str) -> bool:
        if name == "vote":
            return str(self["decides_by"].value()) == DecidesBy.VOTE.value
        return str(self["effect_is"].value()) == "cases" if name == "cases" else super().asks_for(name)

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if "outcomes" in said and Outcome.APPROVE not in said["outcomes"]:
            self.add_error("outcomes", _("A stage must be able to approve, or no proposal gets past it"))
        cases = self.inner["cases"]
        if said.get("effect_is") == "cases" and isinstance(cases, Rows) and not cases.written:
            self.add_error("effect_is", _("Add a case, or let its answer do the same for every proposal"))
        return said

    def as_data(self) -> dict[str, Any]:
        value = super().as_data()
        cases, one = value.pop("cases", None), value.pop("effect")
        del value["effect_is"]
        return value | {
            "effect": cases if cases is not None else one or Effect.RECOMMEND,
            "outcomes": in_order(value["outcomes"], self.stored.get("outcomes")),
            "vote": value.get("vote"),
        }
