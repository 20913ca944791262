"""What the page of a version shows: every clause of the text with the rules that rest on it, in words. Pure
functions."""

from dataclasses import dataclass

from governance.policies.rules import Rules
from governance.policies.statements import Statement, statements
from governance.policies.text import TextClause


@dataclass(frozen=True)
class ClauseWithRules:
    clause: TextClause
    statements: tuple[Statement, ...]
    begins_heading: bool


def clauses_with_rules(rules: Rules | None, clauses: list[TextClause]) -> list[ClauseWithRules]:
    """The clauses in order; one without statements is prose."""
    found: dict[str, list[Statement]] = {}
    for statement in statements(rules) if rules is not None else ():
        found.setdefault(statement.clause, []).append(statement)
    headings = [""] + [clause.heading for clause in clauses]
    return [
        ClauseWithRules(clause, tuple(found.get(clause.number, ())), begins_heading=clause.heading != before)
        for clause, before in zip(clauses, headings, strict=False)
    ]
