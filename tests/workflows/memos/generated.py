"""Memos of many kinds with names and texts that nobody would think of, the same ones on every run."""

import unicodedata
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Final

from tests.workflows.memos.samples import FACTS
from workflows.memos.facts import (
    Certificate,
    LearningOutcome,
    MemoFacts,
    Person,
    Question,
    Sentence,
    SetCondition,
    Step,
)

# Letters as they are typed here and elsewhere, all of which our fonts have.
NAMES: Final = (
    "Nguyễn Thị Phương Thảo",
    unicodedata.normalize("NFD", "Nguyễn Thị Phương Thảo"),
    "Łukasz Świętosławski",
    unicodedata.normalize("NFD", "Gérance d’Ångström, Çelik & Œuvre"),
    "Z̄ĕ́ a̋ n̈ x̣́ ŵ",
    "Αθήνα Παπαδοπούλου",
    "Дарья Йорданова-Ђорђевић",
    "ᐊᓂᔑᓈᐯᒧᐎᓐ ᓀᐦᐃᔭᐍᐏᐣ",
    "Haíɫzaqv, sḵwx̱wú7mesh, Kanienʼkéha",
    "O'Brien-Fitzgerald (née “Æsc”)",
    "office affluent fjord ﬁne ﬂow",
    "co\u00adoperate non\u2011breaking a\u00a0b zero\u200bwidth\u200djoin",
    "½ ≥ 60 % → pass ✓ € £ – …",
    "<b>&amp; \\(not a PDF string\\) ]]>",
    "ǅ ǆ ŉ ſ ẞ ĳ",
    "x" * 90,
)
# What a memo is refused for unless the machine has a font, and what no font can help.
RARE: Final = ("李明", "山田", "محمد", "שלום", "अनुष्का", "😀", "𓈯", "\ue000", "a\u20e0", "\U000f1234")
# Latin and its marks, phonetics, Cyrillic, syllabics.
BLOCKS: Final = ((0x21, 0x17F), (0x250, 0x2AF), (0x300, 0x33F), (0x400, 0x45F), (0x1401, 0x1676), (0x1E00, 0x1EFF))
PLAIN: Final = ("the", "plan", "says", "who", "looks", "after", "data", "for", "how", "long", "on", "whose", "behalf")


def letters(random: Random, count: int) -> str:
    """So many assigned characters of those blocks."""
    found = ""
    while len(found) < count:
        character = chr(random.randint(*random.choice(BLOCKS)))
        if unicodedata.category(character)[0] != "C":
            found += character
    return found


def words(random: Random, most: int) -> str:
    """A text that reads like one here and like nothing there."""
    chosen = [random.choice(PLAIN) for _ in range(random.randint(1, most))]
    if random.random() < 0.5:
        chosen.insert(random.randrange(len(chosen) + 1), random.choice(NAMES))
    if random.random() < 0.2:
        chosen.insert(random.randrange(len(chosen) + 1), letters(random, 12))
    return " ".join(chosen)


def facts(seed: int) -> MemoFacts:
    """A memo's facts, of which everything optional is there or not, once or forty times. One in ten has something
    rare."""
    random = Random(seed)
    day = date(2026, 1, 1) + timedelta(days=random.randrange(365))

    def person() -> Person:
        return Person(name=random.choice(NAMES), title=words(random, 4), of=words(random, 4))

    def many(*counts: int) -> range:
        return range(1, 1 + random.choice(counts))

    return replace(
        FACTS,
        content_lang=random.choice(("", "", "fr")),
        body=words(random, 5),
        address=tuple(words(random, 6) for _ in many(0, 1, 3)),
        number=f"BODY-{random.randint(1, 9)}-2026-{seed:03d}",
        title=words(random, random.choice((6, 25))),
        outcome=random.choice(("approve", "approve-with-conditions", "return", "decline")),
        decided_on=day,
        to=person(),
        copies=tuple(words(random, 4) for _ in many(0, 2, 5)),
        sender=person(),
        motion=Sentence(before=words(random, 9), after=words(random, 9)),
        conditions=tuple(
            SetCondition(
                number=number,
                text=words(random, 15),
                due_on=random.choice((None, day)),
                owner=random.choice(("", words(random, 3))),
            )
            for number in many(0, 1, 3, 40 if seed % 40 == 0 else 2)
        ),
        reasons=tuple(words(random, 30) for _ in many(0, 1, 4)) + ((random.choice(RARE),) if seed % 10 == 7 else ()),
        checklist=tuple(
            Question(text=words(random, 15), clause="5.4", required=random.random() < 0.5, confirmed=True)
            for _ in many(0, 2, 5)
        ),
        route=tuple(
            Step(
                stage=words(random, 3),
                body=words(random, 5),
                person=random.choice(("", random.choice(NAMES))),
                answer=words(random, 3),
                submission=number,
                on=day,
                days_taken=random.choice((None, 3)),
                days_allowed=random.choice((None, 10)),
            )
            for number in many(1, 4, 60 if seed % 40 == 5 else 3)
        ),
        terms=tuple((words(random, 2), words(random, 9)) for _ in many(0, 1, 5)),
        outcomes=tuple(
            LearningOutcome(
                number=number, text=words(random, 15), assessed_by=tuple(words(random, 3) for _ in many(0, 1, 3))
            )
            for number in many(0, 3, 5)
        ),
        certificate=random.choice((None, FACTS.certificate, Certificate(name=words(random, 5), is_demonstration=True))),
    )
