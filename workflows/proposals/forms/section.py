"""The form of one section: its own fields, a small form for each row of its lists, and the alignment matrix.

Rows are added and removed by buttons of the form itself, so that it works without a script. A row in which nothing is
written is shown but never saved.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from governance.forms import MOST_ROWS, row_count
from governance.policies.rules import Question
from workflows.proposals.content import (
    FIELDS,
    FURTHER,
    SECTIONS,
    Alignment,
    Content,
    Coverage,
    FieldSpec,
    Further,
    FurtherAnswer,
    LearningOutcome,
    Part,
    fields_of,
)
from workflows.proposals.display import answer_in_words
from workflows.proposals.forms.fields import OneOfField, form_field, question_field, question_name

_KEY: Final = re.compile(r"[a-z][a-z0-9]{0,11}")

Words = str | Promise


class PartForm(forms.Form):
    """The fields of a part that are not lists. `key` is the row's own, where the part has one."""

    use_required_attribute = False
    key: str = ""

    @property
    def written(self) -> bool:
        """Whether anything stands in it."""
        return any(value is not None and value is not False and value != "" for value in self.cleaned_data.values())

    @property
    def typed(self) -> str:
        """The first words in it, good or not."""
        return next((str(field.value()).strip() for field in self if str(field.value() or "").strip()), "")


@dataclass
class Fields:
    """One field, or several that stand side by side."""

    template: ClassVar = "proposals/blocks/fields.html"
    fields: list[BoundField]


@dataclass
class Row:
    """One item of a list; `remove` is what the button says that takes it out."""

    form: PartForm
    number: int
    remove: str
    groups: list[Fields]

    @property
    def fields(self) -> Iterable[BoundField]:
        return self.form


@dataclass
class RowList:
    """The items of a list, with room for more."""

    template: ClassVar = "proposals/blocks/rows.html"
    name: str
    label: Words
    hint: Words
    one: Words
    add: Words
    optional: bool
    rows: list[Row]
    focus_add: bool = False

    @property
    def full(self) -> bool:
        return len(self.rows) >= MOST_ROWS

    @property
    def keyed(self) -> bool:
        return any(row.form.key for row in self.rows)

    @property
    def has_weights(self) -> bool:
        return self.name == "assessments"


@dataclass
class NotAsked:
    """Answers to further questions that are not asked any more; they are kept and shown."""

    template: ClassVar = "proposals/blocks/not_asked.html"
    answers: Sequence[FurtherAnswer]

    @property
    def groups(self) -> list[list[tuple[str, str]]]:
        return [[(answer.question, answer_in_words(answer)) for answer in self.answers]]


@dataclass
class Line:
    """One learning outcome in the matrix."""

    number: int
    outcome: LearningOutcome
    cells: list[BoundField]


@dataclass
class Matrix:
    """Which assessment covers which outcome."""

    template: ClassVar = "proposals/blocks/matrix.html"
    label: Words
    hint: Words
    form: forms.Form
    columns: list[tuple[int, str]]
    lines: list[Line]


class SectionForm:
    """One section's form: shown from the content, or with `data` as somebody typed it.

    `asked` holds the paths of the fields that the policy asks for; the labels of the others say "(optional)".
    `questions` are what the section of further questions asks.
    """

    def __init__(
        self,
        section: str,
        content: Content,
        *,
        asked: Collection[str] | None = None,
        questions: Sequence[Question] = (),
        data: QueryDict | None = None,
    ) -> None:
        self.section = section
        self.content = content
        self.data = data
        self.questions = questions
        self._asked = asked
        self._specs = list(fields_of(SECTIONS[section][1], section))
        self._stored = content.section(section)
        plain = [spec for spec in self._specs if spec.item is None]
        self.main = self._part_form(plain, prefix=None, stored=self._stored, in_row=False)
        self.lists: dict[str, RowList] = {}
        self.matrix: Matrix | None = None
        self.blocks: list[Fields | RowList | Matrix | NotAsked] = []
        for spec in self._specs:
            if spec.item is None:
                self._place(self.main[spec.name], beside=spec.says.beside)
            elif spec.item is Alignment:
                self.matrix = self._matrix(spec)
                self.blocks.append(self.matrix)
            elif spec.item is FurtherAnswer:
                self._ask()
            else:
                self.lists[spec.name] = self._rows(spec)
                self.blocks.append(self.lists[spec.name])

    # ---- what it says

    @property
    def forms(self) -> list[forms.Form]:
        """Every form on the page, for the list of errors."""
        rows = [row.form for block in self.lists.values() for row in block.rows]
        return [self.main, *rows, *([self.matrix.form] if self.matrix else [])]

    def is_valid(self) -> bool:
        valid = [form.is_valid() for form in self.forms]
        return all(valid)

    @property
    def errors(self) -> list[BoundField]:
        """The fields in which something is wrong."""
        return [field for form in self.forms for field in form if field.errors]

    def part(self) -> Part:
        """What was typed, as the section of the content document. Only after `is_valid`."""
        if self.section == FURTHER:
            return Further(answers=(*self._answers(), *self._not_asked))
        values: dict[str, Any] = dict(self.main.cleaned_data)
        cells = self._cells()
        covering = {cell.assessment for cell in cells}
        for name, block in self.lists.items():
            values[name] = [
                row.form.cleaned_data | ({"key": row.form.key} if row.form.key else {})
                for row in block.rows
                if row.form.written or (row.form.key in covering and name == "assessments")
            ]
        if self.matrix is not None:
            values["alignment"] = cells
        return SECTIONS[self.section][1].model_validate(values)

    def as_typed(self) -> Content:
        """The whole content with this section as typed, where what was typed can be kept; else as stored."""
        if self.data is None or not self.is_valid():
            return self.content
        return self.content.model_copy(update={self.section: self.part()})

    def focus(self, name: str, row: int | None) -> None:
        """Where the next key pressed should go: into a list's row, or on its Add button."""
        block = self.lists[name]
        if row is None or not block.rows:
            block.focus_add = True
        else:
            first = next(iter(block.rows[row].form.fields.values()))
            first.widget.attrs["autofocus"] = True

    # ---- how it is put together

    def _required(self, spec: FieldSpec, *, in_row: bool = False) -> bool:
        if in_row or self._asked is None:
            return not spec.says.optional
        return spec.path in self._asked

    def _part_form(
        self, specs: Sequence[FieldSpec], *, prefix: str | None, stored: Part | None, in_row: bool
    ) -> PartForm:
        names = [spec.name for spec in specs]
        form = PartForm(
            self.data,
            prefix=prefix,
            initial={name: getattr(stored, name) for name in names} if stored is not None else None,
        )
        for spec in specs:
            form.fields[spec.name] = form_field(spec, required=self._required(spec, in_row=in_row), in_row=in_row)
        return form

    def _place(self, field: BoundField, *, beside: bool) -> None:
        last = self.blocks[-1] if self.blocks else None
        if beside and isinstance(last, Fields):
            last.fields.append(field)
        else:
            self.blocks.append(Fields([field]))

    def _ask(self) -> None:
        """A field for each further question, and below them what was answered to others."""
        for question in self.questions:
            name, stored = question_name(question.key), self.content.further.answer_to(question.key)
            self.main.fields[name] = question_field(question)
            self.main.initial[name] = stored.answer if stored is not None else None
            self._place(self.main[name], beside=False)
        if self._not_asked:
            self.blocks.append(NotAsked(self._not_asked))

    @property
    def _not_asked(self) -> list[FurtherAnswer]:
        """The answers to questions that the policy does not ask any more, or not about this content. They stay."""
        keys = {question.key for question in self.questions}
        return [answer for answer in self.content.further.answers if answer.key not in keys]

    def _answers(self) -> list[FurtherAnswer]:
        given = [(question, self.main.cleaned_data[question_name(question.key)]) for question in self.questions]
        return [
            FurtherAnswer(key=question.key, kind=question.kind, question=question.text, answer=str(answer))
            for question, answer in given
            if answer not in (None, "")
        ]

    def _rows(self, spec: FieldSpec) -> RowList:
        assert spec.item is not None
        optional = not self._required(spec)
        stored: Sequence[Part] = getattr(self._stored, spec.name)
        if self.data is not None:
            count = row_count(self.data, spec.name)
        else:
            count = min(len(stored), MOST_ROWS) or int(not optional)
        specs = list(fields_of(spec.item))
        rows = []
        for number in range(count):
            item = stored[number] if self.data is None and number < len(stored) else None
            form = self._part_form(specs, prefix=f"{spec.name}-{number}", stored=item, in_row=True)
            remove = str(spec.says.remove) % {"number": number + 1}
            rows.append(Row(form=form, number=number + 1, remove=remove, groups=_grouped(form, specs)))
        if "key" in spec.item.model_fields:
            self._give_keys(spec.name, rows, stored)
        return RowList(
            name=spec.name,
            label=spec.says.label,
            hint=spec.says.hint,
            one=spec.says.one,
            add=spec.says.add,
            optional=optional,
            rows=rows,
        )

    def _give_keys(self, name: str, rows: list[Row], stored: Sequence[Any]) -> None:
        """Each row keeps its key; a new row gets one that never stood for another row, also not in the matrix."""
        side = "outcome" if name == "outcomes" else "assessment"
        taken = {item.key for item in stored} | {getattr(cell, side) for cell in self.content.assessment.alignment}
        used: set[str] = set()
        for row, item in zip(rows, [*stored, *[None] * len(rows)], strict=False):
            if self.data is None:
                key = item.key if item is not None else ""
            else:
                key = self.data.get(f"{row.form.prefix}-key", "")
            row.form.key = key if _KEY.fullmatch(key) and key not in used else ""
            used.add(row.form.key)
        numbers = [int(digits) for key in taken | used if (digits := re.sub(r"\D", "", key)[:9])]
        last = max(numbers, default=0)
        for row in rows:
            if not row.form.key:
                last += 1
                row.form.key = f"{side[0]}{last}"

    def _matrix(self, spec: FieldSpec) -> Matrix:
        form = forms.Form(self.data)
        stored = {(cell.outcome, cell.assessment): cell.coverage for cell in self.content.assessment.alignment}
        columns = [(row.number, row.form) for row in self.lists["assessments"].rows]
        levels = [("", "–"), *[(level.value, level.value) for level in Coverage]]
        lines = []
        outcomes = [outcome for outcome in self.content.outcomes.outcomes if outcome.text.strip()]
        for number, outcome in enumerate(outcomes, start=1):
            names = []
            for place, column in columns:
                label = _("Outcome %(outcome)s, assessment %(assessment)s") % {"outcome": number, "assessment": place}
                name = f"cell-{outcome.key}-{column.key}"
                form.fields[name] = OneOfField(choices=levels, required=False, label=label)
                form.fields[name].widget.attrs |= {"aria-label": f"{label} {column.typed}".strip(), "class": "select"}
                form.initial[name] = stored.get((outcome.key, column.key), "")
                names.append(name)
            lines.append(Line(number=number, outcome=outcome, cells=[form[name] for name in names]))
        return Matrix(
            label=spec.says.label,
            hint=spec.says.hint,
            form=form,
            columns=[(number, column.typed) for number, column in columns],
            lines=lines,
        )

    def _cells(self) -> list[Alignment]:
        if self.matrix is None:
            return []
        filled = ((name.split("-"), level) for name, level in self.matrix.form.cleaned_data.items() if level)
        return [
            Alignment(outcome=outcome, assessment=assessment, coverage=Coverage(level))
            for (_cell, outcome, assessment), level in filled
        ]


def _grouped(form: PartForm, specs: Sequence[FieldSpec]) -> list[Fields]:
    groups: list[Fields] = []
    for spec in specs:
        if spec.says.beside and groups:
            groups[-1].fields.append(form[spec.name])
        else:
            groups.append(Fields([form[spec.name]]))
    return groups


def anchor_of(path: str) -> str:
    """Where on its section's page a field stands: "need.evidence" is at list-evidence; a path that names no
    field names a further question."""
    if path not in FIELDS:
        return f"id_{question_name(path.partition('.')[2])}"
    spec = FIELDS[path]
    if spec.item is Alignment:
        return "matrix"
    if spec.item is not None:
        return f"list-{spec.name}"
    few = spec.says.choices is not None and isinstance(form_field(spec, required=False).widget, forms.RadioSelect)
    return f"id_{spec.name}_0" if few else f"id_{spec.name}"
