"""Until when an ended proposal is kept: pure rules over a policy's own sentences about it.

Example: "declined proposals are kept for six years (clause 11.2)" and an end on 11 June 2026 give 11 June 2032.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from governance.policies.rules import Retention


@dataclass(frozen=True)
class Term:
    """Until when a proposal is kept, and under which clause.

    Without a day it is kept for good; without a clause, because the policy says nothing of it.
    """

    until: date | None = None
    years: int | None = None
    clause: str = ""

    def is_over(self, today: date) -> bool:
        return self.until is not None and self.until <= today


def term_of(rules: Iterable[Retention], ending: str, ended_on: date) -> Term:
    """How long a proposal that ended so on that day is kept."""
    rule = next((each for each in rules if each.ending == ending), None)
    if rule is None:
        return Term()
    if rule.years is None:
        return Term(clause=rule.clause)
    return Term(until=years_after(ended_on, rule.years), years=rule.years, clause=rule.clause)


def years_after(day: date, years: int) -> date:
    """The same day so many years later, or earlier for a negative number; where there is no 29 February, 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
