"""Which approvals a new submission asks for again, why, and by which clause. Pure functions.

Example: “Fee, dollars” changed, so “Associate Dean” is asked again (clause 7.6).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from governance.audit.canonical import Json
from governance.policies.resolve import Route
from governance.policies.rules import Rules
from governance.policies.vocabulary import Effect
from workflows.proposals.display import label_of_field
from workflows.review.progress import Answer, Changes, standing_approvals


@dataclass(frozen=True)
class Reopened:
    """An approval that is asked for again: of which stage, because of which fields, by which clause. Where there are no
    fields, the stage now decides what it only recommended before."""

    stage: str
    label: str
    fields: tuple[str, ...]
    clause: str

    @property
    def changed(self) -> str:
        """What changed, by name: “Fee, dollars” and “Resources”."""
        names = [_("“%(name)s”") % {"name": label_of_field(path)} for path in self.fields]
        return str(get_text_list(list(dict.fromkeys(names)), _("and")))

    @property
    def sentence(self) -> str:
        if not self.fields:
            said = _("“%(stage)s” now decides where it only recommended, so it is asked again (clause %(clause)s).")
            return said % {"stage": self.label, "clause": self.clause}
        return ngettext(
            "%(fields)s changed, so “%(stage)s” is asked again (clause %(clause)s).",
            "%(fields)s changed, so “%(stage)s” is asked again (clause %(clause)s).",
            len(self.fields),
        ) % {"fields": self.changed, "stage": self.label, "clause": self.clause}

    @property
    def reason(self) -> str:
        """The same in a few words, where the stage stands above them already."""
        if not self.fields:
            return _("Asked again: it now decides")
        said = ngettext("Asked again: %(fields)s changed", "Asked again: %(fields)s changed", len(self.fields))
        return said % {"fields": self.changed}

    def as_json(self) -> Json:
        """As the record keeps it."""
        return {"stage": self.stage, "label": self.label, "fields": list(self.fields), "clause": self.clause}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Reopened":
        return cls(kept["stage"], kept["label"], tuple(kept["fields"]), kept["clause"])


def reopened(
    answers: Iterable[Answer], route: Route, rules: Rules, changes: Changes, number: int
) -> tuple[Reopened, ...]:
    """The approvals that stood before submission `number` and that are asked for again with it."""
    before = [answer for answer in answers if answer.revision < number]
    earlier = {place: fields for place, fields in changes.items() if place < number}
    as_given = [replace(answer, effect=Effect.DECIDE) for answer in before]
    stood = standing_approvals(before, route, rules, earlier)
    to_decide = standing_approvals(as_given, route, rules, earlier) - stood
    changed = changes.get(number, ())
    found = []
    for stage in route.stages:
        if stage.key in to_decide:
            found.append(Reopened(stage.key, stage.label, (), stage.stage.clause))
        if stage.key in stood:
            found += [
                Reopened(stage.key, stage.label, fields, rule.clause)
                for rule in rules.reopens
                if stage.key in rule.stages and (fields := tuple(path for path in changed if rule.touched_by([path])))
            ]
    return tuple(found)


def still_reopened(answers: Sequence[Answer], route: Route, rules: Rules, changes: Changes) -> dict[str, Reopened]:
    """For each stage that has not answered since its approval was asked for again, why it was."""
    found: dict[str, Reopened] = {}
    for number in sorted(changes):
        for again in reopened(answers, route, rules, changes, number):
            if not any(answer.stage == again.stage and answer.revision >= number for answer in answers):
                found.setdefault(again.stage, again)
    return found
