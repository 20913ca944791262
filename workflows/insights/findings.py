"""The proposals that would have fared otherwise, as a list and as a file, each with why.

An administrator who may not see a proposal reads its reference and what became of its route, never its title.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import islice
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from governance.csv_cells import Cell
from governance.people.models import Body, User
from governance.policies.rules import Stage
from workflows.insights.history import halves_in_words
from workflows.insights.models import Finding, Replay, reasons_of
from workflows.insights.replay import Reason, Result
from workflows.insights.words import how_it_ended, in_short, sentence
from workflows.review.paging import Key, Page, page_of
from workflows.review.queries import visible_to

# The results other than that all stays the same, in the order in which they are shown.
OTHERWISE: Final = (Result.RETURNED, Result.ROUTE, Result.BARRED)
TONES: Final = {Result.SAME: "good", Result.RETURNED: "warn", Result.ROUTE: "policy", Result.BARRED: "bad"}

# Reasons of one proposal that are shown at once.
SHOWN: Final = 3

_OLDEST_FIRST: Final = (Key("id"),)
_COLUMNS: Final = (
    "id",
    "proposal_id",
    "result",
    "number",
    "before",
    "after",
    "reasons",
    "halves",
    "proposal__reference",
    "proposal__title",
)


class Why(NamedTuple):
    """One reason in words, with its clause and the clause's address."""

    words: str
    clause: str
    url: str


@dataclass(frozen=True)
class Line:
    """A proposal that would have fared otherwise; no title for whoever may not see it."""

    reference: str
    title: str
    number: int
    was: str
    becomes: str
    tone: str
    because: tuple[Why, ...]
    halves: int

    @property
    def days(self) -> str:
        return signed(self.halves)

    @property
    def first(self) -> tuple[Why, ...]:
        return self.because[:SHOWN]

    @property
    def further(self) -> tuple[Why, ...]:
        """Those that are folded away."""
        return self.because[SHOWN:]


def signed(halves: int) -> str:
    """Half days as days with their sign: "+1.5"."""
    sign = "+" if halves > 0 else "−" if halves < 0 else ""
    return f"{sign}{halves_in_words(abs(halves))}"


@dataclass(frozen=True)
class Names:
    """What stages and kinds of bodies are called in a replay."""

    replay: Replay

    @cached_property
    def stages(self) -> dict[str, Stage]:
        """Every stage of the version replayed, and then of those that governed."""
        found = {stage.key: stage for stage in self.replay.typed_rules.route}
        keys = [one["key"] for one in self.replay.compared]
        for version in self.replay.version.policy.versions.filter(pk__in=keys).order_by("-number"):
            for stage in version.typed_rules.route:
                found.setdefault(stage.key, stage)
        return found

    @cached_property
    def bodies(self) -> dict[str, str]:
        """The only body of its kind by its own name; where there are several, by the stage they answer at."""
        found = {stage.body.kind: stage.label for stage in reversed(self.stages.values())}
        names: dict[str, list[str]] = {}
        for kind, name in Body.objects.filter(kind__in=found).values_list("kind", "short_name"):
            names.setdefault(kind, []).append(name)
        return found | {kind: only[0] for kind, only in names.items() if len(only) == 1}


@dataclass(frozen=True)
class Findings:
    """What a replay found, for one administrator."""

    replay: Replay
    user: User
    names: Names

    def of(self, result: str, mark: str) -> QuerySet[Finding]:
        """Those with a result and a mark, where asked for."""
        found = self.replay.findings.all()
        if result in OTHERWISE:
            found = found.filter(result=result)
        mark = mark.replace("\0", "")  # which no database looks for
        return found.filter(marks__contains=f"|{mark}|") if mark else found

    def page(self, findings: QuerySet[Finding], cursor: str) -> tuple[Page, list[Line]]:
        """One page of them, in two queries."""
        page = page_of(findings.values(*_COLUMNS), _OLDEST_FIRST, cursor)
        return page, self._lines(page.rows)

    def as_file(self, findings: QuerySet[Finding]) -> tuple[list[str], Iterator[list[Cell]]]:
        """The head and the rows of the file with all of them, read while it is sent."""
        head = [
            _("Reference"),
            _("Title"),
            _("Policy version"),
            _("As it was"),
            _("Under version %(number)s") % {"number": self.replay.version.number},
            _("Because of"),
            _("Clauses"),
            _("Change in working days"),
        ]
        return head, self._cells(findings, get_language() or "")

    def _cells(self, findings: QuerySet[Finding], language: str) -> Iterator[list[Cell]]:
        rows = findings.order_by("id").values(*_COLUMNS).iterator(chunk_size=500)
        while some := list(islice(rows, 500)):
            # The reader's language is forgotten by the time that the file is sent.
            with override(language):
                lines = self._lines(some)
            for line in lines:
                yield [
                    line.reference,
                    line.title,
                    line.number,
                    line.was,
                    line.becomes,
                    "; ".join(why.words for why in line.because),
                    ", ".join(dict.fromkeys(why.clause for why in line.because if why.clause)),
                    Decimal(line.halves) / 2,
                ]

    def _lines(self, rows: Iterable[Mapping[str, Any]]) -> list[Line]:
        rows = list(rows)
        theirs = visible_to(self.user).filter(pk__in=[row["proposal_id"] for row in rows])
        seen = set(theirs.values_list("pk", flat=True))
        return [self._line(row, row["proposal_id"] in seen) for row in rows]

    def _line(self, row: Mapping[str, Any], seen: bool) -> Line:
        result, reasons, bodies = Result(row["result"]), reasons_of(row["reasons"]), self.names.bodies
        return Line(
            reference=row["proposal__reference"],
            title=(row["proposal__title"] or row["proposal__reference"]) if seen else "",
            number=row["number"],
            was=how_it_ended(row["before"]),
            becomes=in_short(result, reasons, bodies),
            tone=TONES[result],
            because=tuple(Why(sentence(one, bodies), one.clause, self._url(one, row["number"])) for one in reasons),
            halves=row["halves"],
        )

    def _url(self, reason: Reason, governing: int) -> str:
        """Where the clause stands: in the version replayed, or in the one that governed."""
        if not reason.clause:
            return ""
        version = self.replay.version
        number = version.number if reason.of_draft else governing
        return f"{reverse('policy', args=[version.policy.key, number])}#c{reason.clause}"
