"""The memo's PDF, parsed back: every fact, tags, metadata, fonts, and the same bytes for the same facts."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from tests.workflows.memos import reading
from tests.workflows.memos.samples import FACTS, texts, with_every_text
from workflows.memos.facts import LearningOutcome, MemoFacts, SetCondition
from workflows.memos.render import as_html, render
from workflows.memos.typesetting import BASE, OWN, STATIC, ForeignAddress, NoSuchLetter, OwnFilesOnly, typeset

ROOT = Path(__file__).parents[3]
SNAPSHOT = Path(__file__).parent / "snapshots" / "memo.html"


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return render(FACTS)


def test_page_of_fixed_facts_is_as_it_was() -> None:
    html = as_html(FACTS)
    if os.environ.get("ASSENT_TEST_WRITE_SNAPSHOTS"):
        SNAPSHOT.write_text(html)
    assert html == SNAPSHOT.read_text(), (
        "if the change is meant: ASSENT_TEST_WRITE_SNAPSHOTS=1, and TEMPLATE_VERSION + 1"
    )


# ---- what it says and how it is tagged


def test_every_fact_can_be_read(pdf: bytes) -> None:
    text = reading.text_of(pdf)
    assert [fact for fact in texts(FACTS) if reading.squash(fact) not in text] == []
    for day in ("Thursday 29 October 2026", "2 October 2026", "30 November 2026", "Wed 2 Sep 2026", "1 July 2025"):
        assert reading.squash(day) in text
    for words in ("6 of 10", "Event 18391, index 1 of the log", "No, optional", "clause 4.5", "Page 1 of"):
        assert reading.squash(words) in text
    for words in (FACTS.address_of_memo, FACTS.address_to_check, "2 events, signed 29 October 2026 at 14:32 EDT"):
        assert reading.squash(words) in text
    assert reading.squash("signed with the certificate of “Registrar of Kawartha University”") in text


def test_metadata(pdf: bytes) -> None:
    with reading.opened(pdf) as document:
        root, info = document.Root, document.docinfo
        assert bool(root.MarkInfo.Marked)
        assert str(root.Lang) == "en-CA"
        assert bool(root.ViewerPreferences.DisplayDocTitle)
        assert str(info.Title) == "Decision memorandum SENATE-2026-014: Applied Data Stewardship for Community Health"
        assert str(info.Author) == "Senate, Kawartha University"
        assert str(info.CreationDate) == str(info.ModDate) == "D:20261029143100-04'00"
        with document.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == str(info.Title)


def test_headings_tables_and_list_are_tagged(pdf: bytes) -> None:
    with reading.opened(pdf) as document:
        tags = reading.tags(document)
        assert len(reading.named(tags, "H1")) == 1
        assert len(reading.named(tags, "H2")) == 9
        headings = [str(tag.S) for tag in reading.named(tags, "H1", "H2", "H3", "H4", "H5", "H6")]
        assert headings == ["/H1", *["/H2"] * 9]
        assert len(reading.named(tags, "Table")) == 6
        assert len(reading.named(tags, "L")) == 1
        assert len(reading.named(tags, "LI")) == len(FACTS.conditions)
        assert len(reading.named(tags, "Link")) >= 1


def test_every_cell_names_the_headers_it_stands_under(pdf: bytes) -> None:
    with reading.opened(pdf) as document:
        tags = reading.tags(document)
        for table in reading.named(tags, "Table"):
            parts = list(reading.inside(table))
            ids = {str(header.ID) for header in reading.named(parts, "TH")}
            assert ids
            for cell in reading.named(parts, "TD"):
                headers = {str(header) for header in cell.A.Headers}
                assert headers
                assert headers <= ids


def test_links_say_where_they_lead(pdf: bytes) -> None:
    with reading.opened(pdf) as document:
        links = [link for page in document.pages for link in page.get("/Annots", [])]
        assert {str(link.A.URI) for link in links} == {FACTS.address_of_memo, FACTS.address_to_check}
        assert all(link.Contents == link.A.URI for link in links)


def test_every_font_is_ours_embedded_and_maps_to_unicode(pdf: bytes) -> None:
    with reading.opened(pdf) as document:
        fonts = reading.fonts(document)
        names = {str(font.BaseFont).partition("+")[2] for font in fonts}
        assert len(names) > 4
        assert {name.partition("-")[0] for name in names} == {"Memo"}, names
        for font in fonts:
            assert "/ToUnicode" in font
            (descendant,) = font.DescendantFonts
            descriptor = descendant.FontDescriptor
            assert {"/FontFile2", "/FontFile3"} & set(descriptor.keys())


def test_first_of_a_month_is_an_ordinal_in_french(settings: Any) -> None:
    settings.LANGUAGE_CODE = "fr-ca"
    html = as_html(replace(FACTS, lang="fr-CA", decided_on=date(2026, 10, 1)))
    assert "jeudi 1er octobre 2026" in html
    assert "1er juillet 2025" in html


def test_words_of_a_french_proposal_are_marked_as_french() -> None:
    html = as_html(replace(FACTS, content_lang="fr", title="Gérance des données"))
    assert '<p lang="fr">Gérance des données</p>' in html
    assert '<i lang="fr">Gérance des données</i>' in html
    assert '<tbody lang="fr">' in html
    assert '<html lang="en-CA">' in html


def test_paper_is_a_setting(settings: Any) -> None:
    def size(pdf: bytes) -> list[int]:
        with reading.opened(pdf) as document:
            return [round(float(number)) for number in document.pages[0].MediaBox][2:]

    letter = render(FACTS)
    settings.MEMO_PAPER = "a4"
    a4 = render(FACTS)
    assert (size(letter), size(a4)) == ([612, 792], [595, 842])


# ---- the same facts, the same bytes


def test_same_facts_give_same_bytes_whatever_was_made_before(pdf: bytes) -> None:
    other = render(replace(FACTS, title="Something else: Ω Ж ᐊᓂᔑᓈᐯᒧᐎᓐ"))
    assert other != pdf
    assert render(FACTS) == pdf


@pytest.mark.once
def test_same_facts_give_same_bytes_in_another_process_without_the_machines_fonts(pdf: bytes, tmp_path: Path) -> None:
    nothing = tmp_path / "fonts.conf"
    nothing.write_text(f"<fontconfig><cachedir>{tmp_path}</cachedir></fontconfig>")
    code = (
        "import django, hashlib; django.setup()\n"
        "from tests.workflows.memos.samples import FACTS\n"
        "from workflows.memos.render import render\n"
        "print(hashlib.sha256(render(FACTS)).hexdigest())\n"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "governance.settings",
        "FONTCONFIG_FILE": str(nothing),
        "PYTHONHASHSEED": "7",
        "LC_ALL": "C",
        "TZ": "Pacific/Auckland",
        "ASSENT_DEMO": "1",
    }
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True
    ).stdout
    assert printed.strip() == hashlib.sha256(pdf).hexdigest()


def test_every_fact_is_part_of_the_identifier(pdf: bytes) -> None:
    def identifier(facts: MemoFacts) -> bytes:
        with reading.opened(render(facts)) as document:
            return bytes(document.trailer.ID[0])

    assert identifier(FACTS) == identifier(FACTS) != identifier(replace(FACTS, event_number=18392))


# ---- hostile words


# Every way of naming another file that a page knows, as somebody may type it into a form.
HOSTILE = (
    '<img src="file:///etc/passwd">',
    '<img src="http://127.0.0.1:9/pixel.png">',
    '<link rel="stylesheet" href="http://127.0.0.1:9/style.css">',
    '<link rel="attachment" href="file:///etc/passwd">',
    '<style>@import url("http://127.0.0.1:9/a.css"); body { background: url(file:///etc/passwd) }</style>',
    '</title><base href="http://127.0.0.1:9/"><object data="file:///etc/passwd"></object>',
    '"><svg><image href="file:///etc/passwd"/></svg>',
    "' style='background: url(data:image/png;base64,AAAA)'",
    "{{ facts.number }}{% include '/etc/passwd' %}",
)


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_printed_and_fetch_nothing(words: str) -> None:
    facts = with_every_text(lambda text: text + words)
    pdf = render(facts)
    assert reading.squash(words) in reading.text_of(pdf)
    with reading.opened(pdf) as document:
        assert sorted(document.attachments) == ["record.json", "record.tlog-proof"]
        for page in document.pages:
            assert len(page.Resources.get("/XObject", {})) == 0


@pytest.mark.parametrize(
    "body",
    [
        '<img src="file:///etc/passwd">',
        '<img src="http://127.0.0.1:9/pixel.png">',
        '<img src="data:image/png;base64,iVBORw0KGgo=">',
        '<img src="memo.css">x<img src="../../settings.py">',
        '<link rel="stylesheet" href="http://127.0.0.1:9/style.css">',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<style>@import url("http://127.0.0.1:9/a.css");</style>',
        '<style>@font-face { font-family: x; src: url("file:///etc/passwd") } p { font-family: x }</style><p>x',
        '<p style="background: url(file:///etc/passwd)">x',
        '<object data="file:///etc/passwd"></object>',
        '<base href="file:///etc/"><img src="passwd">',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd" width="9" height="9"/></svg>',
    ],
)
def test_page_that_asks_for_any_other_file_is_not_made(body: str) -> None:
    with pytest.raises(ForeignAddress):
        typeset(f'<html lang="en"><title>x</title><body>{body}</body></html>', identifier=b"x")


def test_own_files_are_the_stylesheet_and_the_fonts() -> None:
    assert {path.suffix for path in OWN.values()} == {".css", ".woff2"}
    assert all(path.is_relative_to(STATIC) for path in OWN.values())
    assert sum(path.stat().st_size for path in OWN.values()) < 4_000_000
    with pytest.raises(PermissionError):
        OwnFilesOnly().fetch(f"{BASE}fonts/../../../settings.py")


# ---- much, little, and unusual letters


def test_nothing_optional_leaves_no_empty_heading() -> None:
    facts = replace(FACTS, conditions=(), reasons=(), checklist=(), outcomes=(), copies=(), address=())
    html = as_html(facts)
    for heading in ("Condition", "Reasons", "Checklist", "Copies", "By the end"):
        assert heading not in html.replace("subject to the condition", "")
    assert reading.pages_of(render(facts)) == 1


def test_forty_conditions_and_sixty_outcomes_and_long_reasons() -> None:
    words = "The plan says who looks after the data, for how long, and on whose behalf. " * 40
    facts = replace(
        FACTS,
        conditions=tuple(
            SetCondition(number=number, text=f"Condition {number} is met.", due_on=None, owner="")
            for number in range(1, 41)
        ),
        reasons=tuple(f"Reason {number}. {words}" for number in range(1, 9)),
        outcomes=tuple(
            LearningOutcome(
                number=number, text=f"Do thing {number}. {words[: number * 40]}", assessed_by=("Portfolio, 100%",)
            )
            for number in range(1, 61)
        ),
    )
    pdf = render(facts)
    text = reading.text_of(pdf)
    assert reading.pages_of(pdf) > 5
    for number in range(1, 41):
        assert reading.squash(f"Condition {number} is met.") in text
    assert all(reading.squash(f"Do thing {number}.") in text for number in range(1, 61))
    assert all(reading.squash(f"Reason {number}.") in text for number in range(1, 9))


def test_outcome_longer_than_a_page_is_printed_to_its_end() -> None:
    outcome = LearningOutcome(number=1, text="A plan for data. " * 700 + "The end of it.", assessed_by=())
    assert reading.squash("The end of it.") in reading.text_of(render(replace(FACTS, outcomes=(outcome,))))


def test_title_of_three_hundred_letters_and_words_that_never_end_stay_on_the_page() -> None:
    pdf = render(replace(FACTS, title="Stewardship" * 27, reasons=("x" * 3000,)))
    assert reading.squash("Stewardship" * 27) in reading.text_of(pdf)
    with reading.opened(pdf) as document:
        for page in document.pages:
            width = float(page.MediaBox[2]) / 0.75  # text is placed in CSS pixels
            places = [
                float(operands[4]) for operands, operator in pikepdf.parse_content_stream(page) if str(operator) == "Tm"
            ]
            assert all(place < width for place in places)


@pytest.mark.parametrize(
    "words",
    [
        "Nguyễn Thị Phương Thảo, Łódź, Çelik, Ångström, Œuvre",
        "Z̄ĕ́ a̋ n̈ x̣́ ŵ",  # marks that no single letter holds
        "Αθήνα Москва",
        "ᐊᓂᔑᓈᐯᒧᐎᓐ ᓀᐦᐃᔭᐍᐏᐣ",
        "Haíɫzaqv, sḵwx̱wú7mesh, Kanienʼkéha, SENĆOŦEN",
        "≥ 60 % → pass ✓ € £ “quoted” – ½",
    ],
)
def test_letters_of_many_languages_are_printed_from_our_own_fonts(words: str) -> None:
    pdf = render(replace(FACTS, title=words, reasons=(words,)))
    assert reading.squash(words) in reading.text_of(pdf)
    with reading.opened(pdf) as document:
        assert {str(font.BaseFont).partition("+")[2][:4] for font in reading.fonts(document)} == {"Memo"}


def test_letter_that_no_font_has_is_refused_by_name() -> None:
    with pytest.raises(NoSuchLetter, match=r"“𓈯” \(U\+1322F, EGYPTIAN HIEROGLYPH NL015\).*Install") as refusal:
        render(replace(FACTS, reasons=("A river: \U0001322f.",)))
    assert "fonts-noto-core" in str(refusal.value)
    # The next memo is none the worse for it.
    assert render(FACTS) == render(FACTS)
