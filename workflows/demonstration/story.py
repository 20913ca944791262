"""The demonstration's files as typed data: the institution and its policy's versions, and of each proposal its content
and its story.

Example: "-38 10:15, approve, associate-dean, by marc.lavoie" in `fixtures/demo/proposals/`. `reading.py` reads them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, Self

from django.utils import timezone
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    model_validator,
)

from governance import clock
from governance.people.duties import Duty
from governance.people.models import UnitKind
from governance.policies.vocabulary import Action
from governance.working_days import add_working_days, is_working_day
from workflows.proposals.content import SECTIONS, Content
from workflows.proposals.models import Audience
from workflows.proposals.states import State

# ---- days and moments, written relative to the day on which the demonstration is loaded


@dataclass(frozen=True, order=True)
class Day:
    """A date, or so many working days before (-40) or after (+12) the day of loading."""

    offset: int = 0
    fixed: date | None = None

    def on(self, today: date) -> date:
        if self.fixed is not None:
            return self.fixed
        return add_working_days(today, self.offset) if self.offset >= 0 else working_days_before(today, -self.offset)


def working_days_before(day: date, days: int) -> date:
    """The date `days` working days before `day`."""
    while days > 0:
        day -= timedelta(days=1)
        days -= is_working_day(day)
    return day


def _day(value: Any) -> Day:
    if isinstance(value, date) and not isinstance(value, datetime):
        return Day(fixed=value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 1_000:
        return Day(offset=value)
    raise ValueError("a day is a date, or a number of working days before or after today such as -40 or +12")


@dataclass(frozen=True)
class Moment:
    """A time of the clock on a day."""

    day: Day
    at: time

    def on(self, today: date) -> datetime:
        return datetime.combine(self.day.on(today), self.at, tzinfo=timezone.get_default_timezone())


_MOMENT: Final = re.compile(r"(?:(-\d{1,3})|(\d{4}-\d\d-\d\d)) (\d\d:\d\d)")


def _moment(value: Any) -> Moment:
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a moment is a day and a time such as -38 10:15, where -38 is 38 working days before today")
    offset, fixed, at = match.groups()
    day = Day(offset=int(offset)) if offset else Day(fixed=date.fromisoformat(fixed))
    return Moment(day=day, at=time.fromisoformat(at))


ADay = Annotated[Day, PlainValidator(_day)]
AMoment = Annotated[Moment, PlainValidator(_moment)]


class Written(BaseModel):
    """Frozen, and with no field that we do not know: a misspelt key is an error, not a step that never happens."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


# ---- the institution


class Ended(Written):
    """How a mandate came to an end: its last day, when that was recorded, and why."""

    after: ADay
    noted: AMoment
    reason: str


class Mandate(Written):
    body: str
    duty: Duty
    from_: ADay | None = Field(default=None, alias="from")
    ended: Ended | None = None


class Formerly(Written):
    """What somebody or a body was called, until the change was entered."""

    name: str = ""
    short_name: str = ""
    title: str = ""
    until: AMoment


class Person(Written):
    sign_in: Annotated[str, Field(pattern=r"^[a-z-]+\.[a-z-]+$")]
    name: str
    title: str
    unit: str
    administrator: bool = False
    formerly: Formerly | None = None
    duties: tuple[Mandate, ...] = ()


class Unit(Written):
    code: str
    name: str
    short_name: str
    kind: UnitKind
    parent: str = ""


class Body(Written):
    code: str
    kind: str
    name: str
    short_name: str
    unit: str
    address: tuple[str, ...] = ()
    email: str = ""
    set_up: AMoment | None = None
    formerly: Formerly | None = None


class SignIn(Written):
    """Somebody as whom a visitor may sign in, and what they will find."""

    person: str
    duty: str
    hint: str


class Done(Written):
    by: str
    at: AMoment


class Adopted(Done):
    motion: str


class Version(Written):
    """A version of the policy and how far it has come: drafted, proposed, adopted."""

    file: str
    drafted: Done
    proposed: Done | None = None
    adopted: Adopted | None = None
    # In place of the first day in the file, for a draft whose first day must not have passed.
    begins: ADay | None = None

    def steps(self) -> dict[str, Done]:
        """What happened to it, by the name of the field, in order."""
        steps = {"drafted": self.drafted, "proposed": self.proposed, "adopted": self.adopted}
        return {name: step for name, step in steps.items() if step is not None}

    @model_validator(mode="after")
    def _proposed_before(self) -> Self:
        if self.adopted is not None and self.proposed is None:
            raise ValueError("a version that was adopted was proposed before")
        return self


class Institution(Written):
    name: str
    domain: Annotated[str, Field(pattern=r"^[a-z.]+\.example$")]
    password: str
    set_up: AMoment
    mandates_from: ADay
    policy: tuple[Version, ...] = Field(min_length=1)
    units: tuple[Unit, ...] = Field(min_length=1)
    bodies: tuple[Body, ...] = Field(min_length=1)
    people: tuple[Person, ...] = Field(min_length=1)
    sign_ins: tuple[SignIn, ...] = ()

    def email(self, sign_in: str) -> str:
        return f"{sign_in}@{self.domain}"

    @property
    def first_person(self) -> Person:
        """The administrator who sets everything up."""
        return self.people[0]

    def person(self, sign_in: str) -> Person:
        return next(person for person in self.people if person.sign_in == sign_in)

    def body(self, code: str) -> Body:
        return next(body for body in self.bodies if body.code == code)


# ---- a proposal: what it says


def _as_written(value: Any, info: ValidationInfo) -> Any:
    """Content in the file's short forms: the alignment matrix as `o1: {a1: A}`, and days counted from today."""
    if not isinstance(value, dict):
        return value
    today: date = (info.context or {}).get("today") or clock.today()
    assessment, summary, partners = (value.get(key) for key in ("assessment", "summary", "partners"))
    if isinstance(assessment, dict) and isinstance(assessment.get("alignment"), dict):
        cells = [
            {"outcome": outcome, "assessment": key, "coverage": coverage}
            for outcome, row in assessment["alignment"].items()
            for key, coverage in (row.items() if isinstance(row, dict) else [("?", row)])
        ]
        value = value | {"assessment": assessment | {"alignment": cells}}
    if isinstance(summary, dict) and "first_offered_on" in summary:
        value = value | {"summary": summary | {"first_offered_on": _date(summary["first_offered_on"], today)}}
    if isinstance(partners, dict) and isinstance(partners.get("consultations"), list):
        consulted = [
            item | {"asked_on": _date(item["asked_on"], today)}
            if isinstance(item, dict) and "asked_on" in item
            else item
            for item in partners["consultations"]
        ]
        value = value | {"partners": partners | {"consultations": consulted}}
    return value


def _date(value: Any, today: date) -> Any:
    return Day(offset=value).on(today) if isinstance(value, int) else value


WrittenContent = Annotated[Content, BeforeValidator(_as_written)]


class _OnlyContent(Written):
    content: WrittenContent


def edited(content: Content, changes: Mapping[str, Any], today: date) -> Content:
    """The content with parts replaced: "outcomes.outcomes.o4.text" is the text of the outcome whose key is o4.

    Items without a key are counted from 1. Raises KeyError for a path that leads nowhere, and pydantic's
    ValidationError for a value that does not fit.
    """
    document: Any = content.as_json()
    for path, value in changes.items():
        *steps, last = path.split(".")
        place = document
        for step in steps:
            place = place[_key(place, step, path)]
        place[_key(place, last, path)] = value
    return _OnlyContent.model_validate({"content": document}, context={"today": today}).content


def _key(place: Any, step: str, path: str) -> str | int:
    if isinstance(place, dict) and step in place:
        return step
    if isinstance(place, list):
        for number, item in enumerate(place):
            if step in {item.get("key"), str(number + 1)}:
                return number
    raise KeyError(path)


# ---- a proposal: what happened to it


def _section(value: str) -> str:
    if value not in SECTIONS:
        raise ValueError(f"there is no section {value}; there are {', '.join(SECTIONS)}")
    return value


Section = Annotated[str, AfterValidator(_section)]
Confirmed = Literal["required", "all"] | tuple[str, ...]


class Step(Written):
    at: AMoment


class Create(Step):
    """The author starts the draft."""

    do: Literal["create"]
    action: Action = Action.NEW


class Write(Step):
    """The author saves sections of the draft, as the file gives them."""

    do: Literal["write"]
    sections: tuple[Section, ...] = tuple(SECTIONS)


class Change(Step):
    """The author replaces parts of what was written."""

    do: Literal["change"]
    parts: dict[str, Any]


class Attach(Step):
    do: Literal["attach"]
    file: str


class Submit(Step):
    """The author sends it, for the first time or again."""

    do: Literal["submit"]
    note: str = ""


class NewCondition(Written):
    text: str
    due: ADay | None = None
    owner: str = ""


class Decide(Step):
    """Somebody decides for the body that holds it at a stage."""

    stage: str
    by: str
    confirmed: Confirmed = ()


class Approve(Decide):
    do: Literal["approve"]
    confirmed: Confirmed = "required"
    reasons: str = ""
    conditions: tuple[NewCondition, ...] = ()


class Return(Decide):
    """Returned to its author, or to an earlier stage."""

    do: Literal["return"]
    reasons: str
    to: str = ""


class Decline(Decide):
    do: Literal["decline"]
    reasons: str


class Withdraw(Step):
    do: Literal["withdraw"]
    reason: str


class Comment(Step):
    do: Literal["comment"]
    by: str
    audience: Audience
    text: str
    section: Section | Literal[""] = ""


class Look(Step):
    """Somebody reads it, so that later changes are new to them."""

    do: Literal["look"]
    by: str


AnyStep = Create | Write | Change | Attach | Submit | Approve | Return | Decline | Withdraw | Comment | Look


class Expect(Written):
    """Where the story has left the proposal; the loading of the demonstration holds it to that."""

    state: State
    stage: str = ""
    late: bool = False
    submissions: int = 0


class Proposal(Written):
    unit: str
    author: str
    expect: Expect
    content: WrittenContent
    story: tuple[Annotated[AnyStep, Field(discriminator="do")], ...] = Field(min_length=1)
