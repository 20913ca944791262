"""What the page of a version shows: every clause of the text with the rules that rest on it, in words. Pure
functions."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from governance.policies.rules import Resume, Rules
from governance.policies.text import TextClause


@dataclass(frozen=True)
class Effect:
    """One thing the system does because of a clause: the kind of rule, its icon, and the rule in a sentence."""

    kind: str
    icon: str
    sentence: str


@dataclass(frozen=True)
class ClauseWithRules:
    clause: TextClause
    effects: tuple[Effect, ...]
    begins_heading: bool


def clauses_with_rules(rules: Rules, clauses: list[TextClause]) -> list[ClauseWithRules]:
    """The clauses in order; one without effects is prose."""
    found = effects_by_clause(rules)
    headings = [""] + [clause.heading for clause in clauses]
    return [
        ClauseWithRules(clause, tuple(found.get(clause.number, ())), begins_heading=clause.heading != before)
        for clause, before in zip(clauses, headings, strict=False)
    ]


def effects_by_clause(rules: Rules) -> dict[str, list[Effect]]:
    """Every rule as a sentence, under the number of the clause that it carries out."""
    found: dict[str, list[Effect]] = {}

    def add(clause: str, kind: str, icon: str, sentence: str) -> None:
        found.setdefault(clause, []).append(Effect(kind=kind, icon=icon, sentence=sentence))

    route, check, target, duty = _("Route"), _("Check"), _("Target"), _("Duties")
    for stage in rules.route:
        add(stage.clause, route, "route", _("The stage “%(stage)s”.") % {"stage": stage.label})
        days = stage.due.working_days
        add(
            stage.due.clause,
            target,
            "clock",
            ngettext(
                "“%(stage)s” answers within %(days)s working day.",
                "“%(stage)s” answers within %(days)s working days.",
                days,
            )
            % {"stage": stage.label, "days": days},
        )
        for item in stage.checklist:
            add(
                item.clause,
                check,
                "list-checks",
                _("%(label)s: %(words)s") % {"label": stage.label, "words": item.text},
            )
    for requirement in rules.requires:
        add(requirement.clause, _("Before sending"), "file-check", requirement.says)
    duties = rules.duties
    add(
        duties.author_may_decide.clause,
        duty,
        "users",
        _("An author may decide on their own proposal.")
        if duties.author_may_decide.allowed
        else _("Nobody decides on a proposal that they wrote."),
    )
    add(
        duties.one_person_many_stages.clause,
        duty,
        "users",
        _("One person may decide several stages of a proposal.")
        if duties.one_person_many_stages.allowed
        else _("Nobody decides two stages of one proposal."),
    )
    add(
        rules.resubmission.clause,
        route,
        "route",
        _("A returned proposal goes back to the stage that returned it.")
        if rules.resubmission.resume is Resume.RETURNING_STAGE
        else _("A returned proposal begins again at its first stage."),
    )
    return found
