"""What a package is asked to hold: everything, proposals by reference, or the proposals of a period.

Example: every proposal with an event from 1 January to 31 March 2026, without the files.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Self

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from governance.audit.models import Checkpoint, Leaf
from governance.dates import in_full, midnight
from governance.refusals import Incomplete
from workflows.auditing.source import Scope
from workflows.proposals.models import Proposal

# A day before or after them, in whichever time zone, is still one that a computer can write.
FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2999, 12, 31)
# All of them stand in the event that records the export.
MOST_NAMED: Final = 1_000
# So many references are said in a sentence; of more, their number.
SAID: Final = 3


@dataclass(frozen=True)
class Selection:
    """Proposals by reference, or by a period of days (both included); neither means everything."""

    references: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    with_files: bool = True

    def check(self) -> None:
        """Raises Incomplete for a proposal that does not exist and for a period that cannot be."""
        gaps: dict[str, str] = {}
        if len(self.references) > MOST_NAMED:
            gaps["references"] = _("Name at most %(most)s proposals; for more, ask for a period.") % {
                "most": MOST_NAMED
            }
        else:
            known = set(Proposal.objects.filter(reference__in=self.references).values_list("reference", flat=True))
            unknown = [each for each in self.references if each not in known]
            if unknown:
                gaps["references"] = _("There is no proposal %(references)s.") % {"references": ", ".join(unknown[:5])}
        if (self.first is None) != (self.last is None):
            gaps["last" if self.last is None else "first"] = _("A period has a first and a last day.")
        elif self.first and self.last and self.last < self.first:
            gaps["last"] = _("The last day of the period comes before its first.")
        elif self.first and self.last and not (self.first >= FIRST_DAY and self.last <= LAST_DAY):
            name = "last" if self.last > LAST_DAY else "first"
            gaps[name] = _("Give days from 1900 to 2999.")
        if gaps:
            raise Incomplete(next(iter(gaps.values())), gaps)

    def scope(self, checkpoint: Checkpoint) -> Scope:
        """The proposals that it means, as the log of a checkpoint knows them."""
        if self.references:
            return Scope(frozenset(self.references))
        if self.first is None or self.last is None:
            return Scope()
        touched = Leaf.objects.filter(
            index__lt=checkpoint.size,
            event__subject__startswith="proposal/",
            event__at__gte=midnight(self.first),
            event__at__lt=midnight(self.last + timedelta(days=1)),
        )
        subjects = touched.order_by().values_list("event__subject", flat=True).distinct()
        return Scope(frozenset(subject.removeprefix("proposal/") for subject in subjects.iterator()))

    @property
    def words(self) -> str:
        """What it holds, to stand in a sentence."""
        if self.references:
            if len(self.references) <= SAID:
                return ", ".join(self.references)
            count = len(self.references)
            return ngettext("%(count)s proposal", "%(count)s proposals", count) % {"count": count}
        if self.first and self.last:
            return _("every proposal with an event from %(first)s to %(last)s") % {
                "first": in_full(self.first),
                "last": in_full(self.last),
            }
        return _("everything")

    def as_data(self) -> dict[str, Any]:
        """As a column, an event and a manifest hold it."""
        data: dict[str, Any] = {"files": self.with_files}
        if self.references:
            return data | {"kind": "proposals", "references": list(self.references)}
        if self.first and self.last:
            return data | {"kind": "period", "first": self.first.isoformat(), "last": self.last.isoformat()}
        return data | {"kind": "everything"}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """The selection that `as_data` told."""
        days = {name: date.fromisoformat(data[name]) for name in ("first", "last") if name in data}
        return cls(references=tuple(data.get("references", ())), with_files=data["files"], **days)
