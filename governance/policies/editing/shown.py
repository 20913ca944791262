"""What a form says, line by line, so that two of them can be read beside each other. Pure functions.

Example: “Quorum” is 20 as saved and 25 as typed; everything else is the same and not shown.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from governance.forms import with_plain_line_ends
from governance.policies.editing.part import Part, PartForm, Rows


@dataclass(frozen=True)
class Difference:
    """Something that is one thing as typed and another as saved."""

    label: str
    typed: str
    saved: str


def differences(typed: PartForm, saved: PartForm | None) -> list[Difference]:
    """The fields that differ; all that was typed, where what was saved is gone."""
    mine = dict(_lines(typed.main))
    theirs = dict(_lines(saved.main)) if saved is not None else {}
    return [
        Difference(label, mine.get(label, ""), theirs.get(label, ""))
        for label in chain(mine, (label for label in theirs if label not in mine))
        if mine.get(label, "") != theirs.get(label, "")
    ]


def text_differences(typed: str, saved: str) -> list[Difference]:
    """The paragraphs of two texts that differ."""
    mine, theirs = _paragraphs(typed), _paragraphs(saved)
    changes = SequenceMatcher(None, theirs, mine, autojunk=False).get_opcodes()
    return [
        Difference(_("Text"), "\n\n".join(mine[start:end]), "\n\n".join(theirs[first:last]))
        for change, first, last, start, end in changes
        if change != "equal"
    ]


def _paragraphs(text: str) -> Sequence[str]:
    return re.split(r"\n\s*\n", text.strip())


def _lines(part: Part, row: str = "") -> Iterator[tuple[str, str]]:
    for name, box in part.fields.items():
        label = str(box.label)
        yield (_("%(row)s: %(field)s") % {"row": row, "field": label} if row else label), _words(part, name, box)
    for name, inner in part.inner.items():
        if not part.asks_for(name):
            continue
        if isinstance(inner, Part):
            yield from _lines(inner, row)
        else:
            yield from _lines_of_rows(inner, row)


def _lines_of_rows(rows: Rows, row: str) -> Iterator[tuple[str, str]]:
    for number, each in enumerate(rows.rows, start=1):
        here = _("%(thing)s %(number)s") % {"thing": rows.spec.one, "number": number}
        yield from _lines(each, _("%(row)s: %(field)s") % {"row": row, "field": here} if row else here)


def _words(part: Part, name: str, box: forms.Field) -> str:
    value: Any = part[name].value()
    if isinstance(box, forms.BooleanField):
        return pgettext("answer", "Yes") if value else pgettext("answer", "No")
    choices = dict(_flat(box.widget.choices)) if isinstance(box.widget, forms.widgets.ChoiceWidget) else {}
    values = value if isinstance(value, list | tuple) else [value]
    words = ", ".join(str(choices.get(str(one), one)) for one in values if one not in (None, ""))
    return with_plain_line_ends(words)


def _flat(choices: Any) -> Iterator[tuple[str, Any]]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from _flat(label)
        else:
            yield str(value), label
