"""Everything that people read is there in French, in the file that translators edit and in the one that is served.

Neither running nor testing needs gettext: what is translatable is read out of the sources by Python and by Django's own
template lexer, and the catalogue is compiled here. After a change of words, with gettext installed:
`manage.py makemessages -l fr_CA --no-location --no-obsolete --no-wrap -i .venv -i var -i tests`, write the French, then
`manage.py compilemessages -l fr_CA`.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import polib
import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation.template import templatize

from governance import clock
from governance.site.templatetags.assent import day, moment

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "governance" / "locale" / "fr_CA" / "LC_MESSAGES" / "django.po"
SOURCES = ("governance", "workflows", "templates")
NBSP = "\N{NO-BREAK SPACE}"

# What each function that marks words takes, in order: a context, the words, the words for many.
MARKS = {
    "_": ("words",),
    "gettext": ("words",),
    "gettext_lazy": ("words",),
    "gettext_noop": ("words",),
    "ngettext": ("words", "many"),
    "ngettext_lazy": ("words", "many"),
    "pgettext": ("context", "words"),
    "pgettext_lazy": ("context", "words"),
    "npgettext": ("context", "words", "many"),
    "npgettext_lazy": ("context", "words", "many"),
}
_LITERAL = r"""u?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
_IN_TEMPLATE = re.compile(rf"(?<![\w.])(n?p?gettext|_)\(\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)", re.DOTALL)


class Words(NamedTuple):
    """Words as a source marks them; `many` is empty where they do not depend on a number."""

    words: str
    many: str = ""
    context: str = ""


# ---- what the sources say


def in_python(text: str) -> Iterator[tuple[int, Words | None]]:
    """Every marked string with its line; None for words that are put together before they are marked."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in MARKS:
            continue
        taken = node.args[: len(MARKS[name])]
        given = [one.value for one in taken if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        whole = len(given) == len(MARKS[name])
        yield node.lineno, Words(**dict(zip(MARKS[name], given, strict=True))) if whole else None


def in_template(text: str, name: str) -> Iterator[tuple[int, Words]]:
    marked = templatize(text, origin=name)
    for found in _IN_TEMPLATE.finditer(marked):
        given = ast.literal_eval(f"({found[2]},)")
        yield marked.count("\n", 0, found.start()) + 1, Words(**dict(zip(MARKS[found[1]], given, strict=True)))


@cache
def sources() -> dict[Words | None, list[str]]:
    """Everything that is marked for translation, with its places."""
    found: dict[Words | None, list[str]] = defaultdict(list)
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            place = str(path.relative_to(ROOT))
            if "static" in path.parts or path.suffix not in {".py", ".html", ".txt"}:
                continue
            text = path.read_text()
            marked = in_python(text) if path.suffix == ".py" else in_template(text, place)
            for line, words in marked:
                found[words].append(f"{place}:{line}")
    return found


@cache
def catalogue() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


def by_words(catalogue: polib.POFile | polib.MOFile) -> dict[tuple[str, str], tuple[str, str, dict[int, str]]]:
    return {
        (entry.msgctxt or "", entry.msgid): (entry.msgid_plural or "", entry.msgstr, dict(entry.msgstr_plural))
        for entry in catalogue
    }


def french(entry: polib.POEntry) -> list[str]:
    """What an entry says in French: one sentence, or one for each form."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


# ---- nothing is missing


def test_words_are_whole_before_they_are_marked() -> None:
    """Words that are put together first have no place in a catalogue."""
    assert sources().get(None, []) == []


def test_everything_that_people_read_is_in_the_catalogue() -> None:
    known = {key: entry[0] for key, entry in by_words(catalogue()).items()}
    missing = {
        words.words: places
        for words, places in sources().items()
        if words is not None
        and (
            (words.context, words.words) not in known
            or (words.many and known[words.context, words.words] != words.many)
        )
    }
    assert missing == {}


def test_the_catalogue_has_nothing_that_nobody_reads() -> None:
    said = {(words.context, words.words) for words in sources() if words is not None}
    assert sorted(by_words(catalogue()).keys() - said) == []
    assert [entry.msgid for entry in catalogue().obsolete_entries()] == []


def test_everything_is_translated() -> None:
    assert [entry.msgid for entry in catalogue() if not all(french(entry))] == []
    assert [entry.msgid for entry in catalogue() if entry.fuzzy] == []


def test_french_has_two_forms_and_counts_nothing_as_one() -> None:
    assert catalogue().metadata["Plural-Forms"] == "nplurals=2; plural=(n > 1);"
    assert [entry.msgid for entry in catalogue() if entry.msgid_plural and set(entry.msgstr_plural) != {0, 1}] == []


# ---- the French fits the English


def names(text: str) -> set[str]:
    """The places in a text that are filled in later: %(name)s, %% and {name}."""
    return set(re.findall(r"%\(\w+\)[a-z]|%%|\{\w*\}", text))


def test_placeholders_are_the_same() -> None:
    wrong = []
    for entry in catalogue():
        needed, possible = names(entry.msgid), names(entry.msgid) | names(entry.msgid_plural)
        # The form for one may leave the number out, as English does, or give it, since it is said of none too.
        wrong += [said for said in french(entry)[:1] if not needed <= names(said) <= possible]
        wrong += [said for said in french(entry)[1:] if names(said) != names(entry.msgid_plural)]
    assert wrong == []


def test_markup_and_ends_are_the_same() -> None:
    def shape(text: str) -> tuple[list[str], str]:
        return re.findall(r"<[^>]+>", text), text[len(text.rstrip()) :]

    assert [said for entry in catalogue() for said in french(entry) if shape(said) != shape(entry.msgid)] == []


def test_punctuation_keeps_to_its_word() -> None:
    """A line of French never begins with a colon or ends with an opening quotation mark."""
    broken = re.compile(rf"(?<!{NBSP})[;?!»]|(?<=[^\W\d])(?<!https)(?<!http):(?=\s|$)| [:;?!»%](?!\()|«(?!{NBSP})")
    assert [
        said
        for entry in catalogue()
        for said in french(entry)
        if broken.search(re.sub(r"<[^>]+>", "", said)) or "'" in said
    ] == []


# ---- what is served


def test_the_compiled_catalogue_says_the_same() -> None:
    """Compile it again with `manage.py compilemessages -l fr_CA`."""
    compiled = polib.mofile(str(CATALOGUE.with_suffix(".mo")))
    assert by_words(compiled) == by_words(catalogue())
    assert compiled.metadata["Plural-Forms"] == catalogue().metadata["Plural-Forms"]


def test_our_words_and_those_of_django_come_in_french() -> None:
    assert [code for code, _name in settings.LANGUAGES] == ["en-ca", "fr-ca"]
    with translation.override("fr-ca"):
        assert translation.gettext("Your queue") == "Votre file d’attente"
        assert translation.gettext("This field is required.") == "Ce champ est obligatoire."


@pytest.mark.parametrize(
    ("given", "short"),
    [
        (date(2026, 10, 16), f"ven. 16{NBSP}oct."),
        (date(2026, 12, 1), f"mar. 1er{NBSP}déc."),
        (date(2025, 5, 20), f"mar. 20{NBSP}mai{NBSP}2025"),
    ],
)
def test_dates_are_short_in_french(given: date, short: str) -> None:
    with clock.at(datetime(2026, 11, 23, 12, tzinfo=UTC)), translation.override("fr-ca"):
        assert day(given) == short


def test_times_are_on_the_24_hour_clock_in_french() -> None:
    with clock.at(datetime(2026, 11, 23, 12, tzinfo=UTC)), translation.override("fr-ca"):
        assert moment(datetime(2026, 10, 16, 18, 2, tzinfo=UTC)) == f"ven. 16{NBSP}oct. à 14{NBSP}h{NBSP}02"
