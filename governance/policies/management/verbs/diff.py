"""`manage.py policy diff`: what one version says otherwise than another, in the words of its clauses and in its rules.

Example: `policy diff micro-credential-approval 1 2` prints "6.4  ... within [-twenty-]{+fifteen+} working days ...",
and below it what the rules say otherwise.
"""

import textwrap
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.core.management.base import CommandError
from django.db import Error as UnreadableDatabase

from governance.policies.compare import ClauseRow, Comparison, Section, Side, compare_versions
from governance.policies.differences.parts import Difference
from governance.policies.loading import load_policy_file
from governance.policies.models import PolicyVersion
from governance.policies.queries import rules_of
from governance.redline import Mark, Marked, excerpt

# As `diff` ends: 1 where something differs, 2 where it cannot tell.
DIFFERENT: Final = 1
BAD_INPUT: Final = 2
HELP: Final = "say what one version says otherwise than another"
DESCRIPTION: Final = (
    "Compare two versions, stored ones (KEY FROM TO, by their numbers) or those in two files (OLD.yaml NEW.yaml), word "
    "by word and rule by rule. Words taken out stand in [-...-], new ones in {+...+}. Exits with 0 when they say the "
    "same, 1 when something differs, 2 when they cannot be compared."
)
SIGNS: Final = {Mark.SAME: "{}", Mark.REMOVED: "[-{}-]", Mark.ADDED: "{{+{}+}}"}


class Named(NamedTuple):
    """One side of the comparison and what it is called."""

    label: str
    side: Side


def add_arguments(verb: ArgumentParser) -> None:
    verb.description = DESCRIPTION
    verb.add_argument("versions", nargs="+", metavar="VERSION", help="KEY FROM TO, or OLD.yaml NEW.yaml")
    verb.add_argument("--json", action="store_true", help="answer in JSON")


def answer(versions: Sequence[str]) -> dict[str, Any]:
    """What differs, as data and in words. Raises BadFile, and CommandError for versions that are not there."""
    before, after = _named(versions)
    found = compare_versions(before.side, after.side)
    # Where rules could not be read nobody knows that they are the same.
    same = found.is_same and found.general is not None
    return {
        "same": same,
        "before": before.label,
        "after": after.label,
        "outside": _words(found.outside) if found.outside.changed else None,
        "sections": [_section(section) for section in found.sections if section.is_worth_a_look],
        "rules": None if found.general is None else [_rule(one) for one in found.differences],
        "says": "\n".join(_lines(before, after, found)),
    }


def _named(versions: Sequence[str]) -> tuple[Named, Named]:
    match versions:
        case [old, new]:
            return _in_file(old), _in_file(new)
        case [key, before, after]:
            try:
                return _stored(key, before), _stored(key, after)
            except UnreadableDatabase as error:
                why = str(error).partition("\n")[0]
                raise CommandError(f"The database cannot be read ({why}).") from error
    raise CommandError("Name two files, or the key of a policy and the numbers of two versions.")


def _in_file(path: str) -> Named:
    source = load_policy_file(Path(path))
    return Named(f"{source.rules.title}, version {source.rules.version}", Side(source.rules, source.text))


def _stored(key: str, number: str) -> Named:
    version = None
    if number.isascii() and number.isdecimal() and len(number) < 7:
        versions = PolicyVersion.objects.select_related("policy")
        version = versions.filter(policy__key=key, number=int(number)).first()
    if version is None:
        raise CommandError(f"There is no version {number} of a policy {key}.")
    return Named(version.label, Side(rules_of(version), version.text))


# ---- in words


def _lines(before: Named, after: Named, found: Comparison) -> Iterator[str]:
    yield f"From {before.label}, to {after.label}"
    if found.general is None:
        yield "The rules of one of them cannot be used yet, so only the texts were compared."
    elif found.is_same:
        yield "They say the same."
    if found.outside.changed:
        yield "\nOutside the clauses"
        yield textwrap.indent(_marked(excerpt(found.outside)), "  ")
    for section in found.sections:
        if section.is_worth_a_look:
            yield f"\n{_marked(section.heading)}"
            for row in section.rows:
                if row.is_worth_a_look:
                    yield from _of_clause(row)
    if found.general:
        yield "\nRules that stand under no clause"
        yield from (f"    * {one.sentence}" for one in found.general)


def _of_clause(row: ClauseRow) -> Iterator[str]:
    number = f"{row.number} (before: {row.number_before})" if row.is_renumbered else row.number or row.number_before
    yield f"  {number}  {_marked(row.words) if row.words.changed else 'in the same words'}"
    yield from (f"    * {note.sentence}" for note in row.notes)


def _marked(words: Marked) -> str:
    return "".join(SIGNS[run.mark].format(run.text) for run in words.runs)


# ---- as data


def _words(words: Marked) -> dict[str, str]:
    return {"before": words.old, "after": words.new}


def _section(section: Section) -> dict[str, Any]:
    rows = [row for row in section.rows if row.is_worth_a_look]
    return {
        "heading": _words(section.heading),
        "clauses": [
            {"number": {"before": row.number_before, "after": row.number}, "words": _words(row.words)} for row in rows
        ],
    }


def _rule(one: Difference) -> dict[str, Any]:
    return {"kind": one.kind.value, "sentence": one.sentence, "clause": one.clause, "gone": one.gone}
