"""Rules of every shape for property tests: conditions nested as deep as one likes, words with every character."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from governance.policies.rules import Check, Rules
from governance.policies.vocabulary import (
    Action,
    AnswerKind,
    Carries,
    DecidesBy,
    Effect,
    Ending,
    FactName,
    Facts,
    Kind,
    Level,
    Outcome,
    UnitPlace,
    Voters,
)

Strategy = st.SearchStrategy[Any]

# Every character that can stand in the record, and the words that YAML takes for something else.
WORDS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60),
    st.sampled_from(["yes", "No", "null", "1e3", "2025-01-01", "a: b", "a #b", "- a", "é, è", "0x1F", "~", "say “so”"]),
).filter(lambda words: bool(words.strip()))
# What can stand in a box of a form.
ONE_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(str.strip)
SLUGS = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,6})?", fullmatch=True)
CLAUSES = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}", fullmatch=True)
NUMBERS = st.integers(-5, 200)
VALUES = {
    FactName.ACTION: st.sampled_from([action.value for action in Action]),
    FactName.KIND: st.sampled_from([kind.value for kind in Kind]),
    FactName.LEVEL: st.sampled_from([level.value for level in Level]),
    FactName.NEW_RESOURCES: st.booleans(),
    FactName.UNIT: st.sampled_from(["KU", "HSCI", "ENG"]),
    FactName.UNIT_KIND: st.sampled_from(["university", "faculty"]),
}


@st.composite
def literals(draw: Any) -> dict[str, Any]:
    """One comparison; now and then one of a field with a value that it can never have."""
    name = draw(st.sampled_from(list(FactName)))
    value = VALUES.get(name, NUMBERS) if draw(st.integers(0, 9)) else st.one_of(NUMBERS, st.booleans(), ONE_LINE)
    operator = draw(st.sampled_from(["is", "in", "at_least", "less_than"]))
    if operator == "is":
        return {"field": name.value, "is": draw(value)}
    if operator == "in":
        return {"field": name.value, "in": draw(st.lists(value, min_size=1, max_size=3))}
    return {"field": name.value, operator: draw(NUMBERS)}


CONDITIONS: Strategy = st.recursive(
    literals(),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)
MAYBE_CONDITIONS = st.none() | CONDITIONS

FACTS = st.builds(
    Facts,
    action=st.sampled_from(Action),
    kind=st.sampled_from([*Kind, ""]),
    level=st.sampled_from([*Level, ""]),
    hours=st.integers(0, 200),
    weeks=st.integers(0, 60),
    credit_hundredths=st.integers(0, 200),
    partners=st.integers(0, 5),
    new_resources=st.booleans(),
)
UNITS = st.builds(
    UnitPlace, code=st.sampled_from(["KU", "HSCI", "ENG"]), kind=st.sampled_from(["university", "faculty"])
)


def keyed(key: str, items: Strategy, **sizes: int) -> Strategy:
    return st.lists(items, unique_by=lambda item: item[key], **sizes)


QUORUMS = st.one_of(
    st.fixed_dictionaries({"quorum": st.integers(1, 1000)}),
    st.fixed_dictionaries({"quorum_percent": st.integers(1, 100)}),
)
VOTES = st.builds(
    lambda quorum, rest: quorum | rest,
    QUORUMS,
    st.fixed_dictionaries(
        {"carries": st.sampled_from(list(Carries)), "of": st.sampled_from(list(Voters)), "clause": CLAUSES}
    ),
)
OUTCOMES = st.sets(st.sampled_from(list(Outcome))).map(lambda others: sorted({*others, Outcome.APPROVE}))
STAGES = st.fixed_dictionaries(
    {
        "key": SLUGS,
        "label": WORDS,
        "clause": CLAUSES,
        "body": st.fixed_dictionaries({"kind": SLUGS, "of": st.sampled_from([None, "proposal.unit"])}),
        "effect": st.one_of(
            st.sampled_from(list(Effect)),
            st.lists(
                st.fixed_dictionaries({"when": MAYBE_CONDITIONS, "effect": st.sampled_from(list(Effect))}),
                min_size=1,
                max_size=3,
            ),
        ),
        "when": MAYBE_CONDITIONS,
        "mandatory": st.booleans(),
        "outcomes": OUTCOMES,
        "checklist": keyed(
            "key",
            st.fixed_dictionaries(
                {
                    "key": SLUGS,
                    "text": WORDS,
                    "clause": CLAUSES,
                    "required": st.booleans(),
                    "evidence": st.none() | WORDS,
                }
            ),
            max_size=2,
        ),
        "due": st.fixed_dictionaries({"working_days": st.integers(1, 250), "clause": CLAUSES}),
        "vote": st.none() | VOTES,
    }
).map(lambda stage: stage | {"decides_by": DecidesBy.VOTE if stage["vote"] else DecidesBy.ONE})
DUTY_RULES = st.fixed_dictionaries({"allowed": st.booleans(), "clause": CLAUSES})
COUNTED = {Check.AT_LEAST, Check.AT_MOST}
REQUIREMENTS = st.fixed_dictionaries(
    {
        "field": st.sampled_from(["summary.title", "delivery.hours", "resources.fee"]),
        "check": st.sampled_from(list(Check)),
        "number": st.integers(0, 40),
        "when": MAYBE_CONDITIONS,
        "says": WORDS,
        "clause": CLAUSES,
    }
).map(lambda row: row if row["check"] in COUNTED else row | {"number": None})
QUESTIONS = st.fixed_dictionaries(
    {
        "key": SLUGS,
        "text": WORDS,
        "hint": st.none() | WORDS,
        "kind": st.sampled_from(list(AnswerKind)),
        "choices": st.lists(WORDS, min_size=2, max_size=3),
        "required": st.booleans(),
        "when": MAYBE_CONDITIONS,
        "clause": CLAUSES,
    }
).map(lambda row: row if row["kind"] is AnswerKind.CHOICE else row | {"choices": []})
RETENTION = st.fixed_dictionaries(
    {"ending": st.sampled_from(list(Ending)), "years": st.none() | st.integers(1, 100), "clause": CLAUSES}
)


@st.composite
def rule_sets(draw: Any) -> Rules:
    """A whole document that can be read, whether or not it makes sense."""
    route = draw(keyed("key", STAGES, min_size=1, max_size=3))
    route[-1]["effect"] = "decide"
    for stage in route[: draw(st.integers(0, len(route)))]:
        stage["wave"] = "together"
    stages = st.lists(st.sampled_from([stage["key"] for stage in route]), min_size=1, max_size=2)
    fields = st.lists(st.sampled_from(["resources.fee", "outcomes", "files"]), min_size=1, max_size=2)
    return Rules.model_validate(
        {
            "policy": draw(SLUGS),
            "title": draw(WORDS),
            "version": draw(st.integers(1, 99)),
            "effective_from": draw(st.dates(date(1900, 1, 1), date(2200, 1, 1))),
            "governs": draw(st.lists(st.sampled_from(list(Action)), min_size=1, max_size=3)),
            "route": route,
            "duties": {"author_may_decide": draw(DUTY_RULES), "one_person_many_stages": draw(DUTY_RULES)},
            "resubmission": {
                "resume": draw(st.sampled_from(["returning-stage", "first-stage"])),
                "clause": draw(CLAUSES),
            },
            "reopens": draw(
                st.lists(
                    st.fixed_dictionaries({"fields": fields, "stages": stages, "clause": CLAUSES}),
                    max_size=2,
                )
            ),
            "requires": draw(st.lists(REQUIREMENTS, max_size=3)),
            "questions": draw(keyed("key", QUESTIONS, max_size=2)),
            "retention": draw(keyed("ending", RETENTION, max_size=3)),
        }
    )
