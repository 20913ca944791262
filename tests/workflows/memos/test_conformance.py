"""Memos that are PDF/A-3a and PDF/UA-1 at once, before and after signing, whatever names and texts are in them."""

import unicodedata
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from governance.audit.verifier import InclusionProof, signatures_that_hold
from tests.workflows.memos import generated, reading
from tests.workflows.memos.samples import FACTS, KEY
from tests.workflows.memos.validating import faults, is_sealed, misshapen
from workflows.memos import sealing
from workflows.memos.conformance import CannotPrint, DoesNotConform, NoKnownLetter
from workflows.memos.render import code_of, render
from workflows.memos.sealing import Seal
from workflows.memos.typesetting import typeset

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PDFA = "{http://www.aiim.org/pdfa/ns/id/}"
PDFUA = "{http://www.aiim.org/pdfua/ns/id/}"
MEMOS = 200


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return render(FACTS)


@pytest.fixture
def seal(settings: Any) -> Seal:
    settings.DEMONSTRATION = True
    seal = sealing.load()
    assert seal is not None
    return seal


@pytest.mark.parametrize("paper", ["letter", "a4"])
def test_both_standards_are_met_before_and_after_signing(seal: Seal, settings: Any, paper: str) -> None:
    settings.MEMO_PAPER = paper
    unsigned = render(FACTS)
    signed = sealing.sign(unsigned, seal)
    assert faults(unsigned) == faults(signed) == []
    assert misshapen(unsigned) == misshapen(signed) == []


@pytest.mark.once
@pytest.mark.parametrize("tenth", range(10))
def test_generated_memos_conform_or_are_refused_by_letter(seal: Seal, tenth: int) -> None:
    refused: dict[int, str] = {}
    for number in range(tenth * MEMOS // 10, (tenth + 1) * MEMOS // 10):
        facts = generated.facts(number)
        try:
            pdf = render(facts)
        except CannotPrint as refusal:
            refused[number] = str(refusal)
            continue
        assert (number, faults(pdf), misshapen(pdf)) == (number, [], [])
        if number % 5 == 0:
            signed = sealing.sign(pdf, seal)
            assert (number, faults(signed), is_sealed(signed, seal)) == (number, [], True)
    # Only those with something rare in them, which one machine has a font for and another has not.
    assert {number % 10 for number in refused} <= {7}
    assert all("(U+" in sentence for sentence in refused.values())


def test_both_identifiers_stand_in_one_description_of_the_file(pdf: bytes) -> None:
    with reading.opened(pdf) as document:
        stream = document.Root.Metadata
        assert "/Filter" not in stream
        tree = ElementTree.fromstring(stream.read_bytes())
        assert b"pdfuaid:part" in stream.read_raw_bytes()
    (rdf,) = tree.iter(f"{RDF}RDF")
    found = {element.tag: element.text for element in rdf.iter()}
    assert (found[f"{PDFA}part"], found[f"{PDFA}conformance"], found[f"{PDFUA}part"]) == ("3", "A", "1")
    assert "{http://www.aiim.org/pdfa/ns/schema#}namespaceURI" in found


def test_metadata_says_what_the_page_says(pdf: bytes) -> None:
    facts = replace(FACTS, title="Health & <care>", body="Senate ]]>")
    with reading.opened(render(facts)) as document:
        metadata = document.open_metadata()
        assert metadata["dc:title"] == str(document.docinfo.Title) == facts.document_title
        assert metadata["dc:creator"] == ["Senate ]]>, Kawartha University"]
        assert metadata["xmp:CreateDate"] == metadata["xmp:ModifyDate"] == "2026-10-29T14:31:00-04:00"
        assert str(metadata["pdf:Producer"]) == str(document.docinfo.Producer)


def test_record_and_proof_are_attached_and_verify_against_each_other(pdf: bytes) -> None:
    with reading.opened(pdf) as document:
        files = {name: document.attachments[name] for name in document.attachments}
        contents = {name: each.get_file().read_bytes() for name, each in files.items()}
        assert {name: each.get_file().mime_type for name, each in files.items()} == {
            "record.json": "application/json",
            "record.tlog-proof": "text/plain",
        }
        kinds = {str(each.obj.UF): str(each.obj.AFRelationship) for each in files.values()}
        assert kinds == {"record.json": "/Data", "record.tlog-proof": "/Supplement"}
        for each in files.values():
            dates = {str(each.obj.EF.F.Params[key]) for key in ("/CreationDate", "/ModDate")}
            assert dates == {"D:20261029183100Z"}
    proof = InclusionProof.parse(contents["record.tlog-proof"].decode())
    assert contents["record.json"] == FACTS.record.encode()
    assert proof.holds_for(contents["record.json"])
    assert [signed.key for signed in signatures_that_hold(proof.checkpoint.note, [KEY.public])] == [KEY.public]


def test_code_is_a_figure_that_says_where_it_leads_and_lies_on_the_page(pdf: bytes) -> None:
    with reading.opened(pdf) as document:
        (figure,) = reading.named(reading.tags(document), "Figure")
        assert str(figure.Alt) == f"QR code of {FACTS.address_to_check}"
        left, low, right, high = (float(number) for number in figure.A.BBox)
        millimetre = 72 / 25.4
        assert (left, right) == pytest.approx((22 * millimetre, 44 * millimetre), abs=0.1)
        assert high - low == pytest.approx(22 * millimetre, abs=0.1)
        assert 0 < low < high < float(document.pages[-1].MediaBox[3])


def test_code_draws_the_address() -> None:
    code = code_of(FACTS.address_to_check)
    other = code_of(FACTS.address_to_check.replace("014", "015"))
    assert code.size == 33
    # The upper row begins and ends with the edge of a square that finds the code, seven modules wide.
    assert code.path.startswith("M0 0.5h7M")
    assert "M26 0.5h7M0 1.5h1" in code.path
    assert other.path != code.path


# ---- letters


@pytest.mark.parametrize(
    "words",
    [
        "n̈ann",
        "Ŕ̪ and Ŕ",
        unicodedata.normalize("NFD", "ễ ạ̈ ŵ̄") + " e a w",
        "ŉ n ʼ",
        "office fjord",
    ],
)
def test_letters_drawn_by_two_glyphs_are_read_once_each(words: str) -> None:
    facts = replace(FACTS, title=words, reasons=(words, words))
    read = unicodedata.normalize("NFKD", reading.text_of(render(facts)))
    wanted = unicodedata.normalize("NFKD", reading.squash(words))
    assert read.count(wanted) >= 4, read


def test_letter_that_only_one_font_knows_is_refused() -> None:
    with pytest.raises(NoKnownLetter, match=r"“\ue000” \(U\+E000, unnamed\).*must be changed"):
        render(replace(FACTS, reasons=("A logo: \ue000.",)))


def test_page_whose_figure_says_nothing_is_not_made() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'
    with pytest.raises(DoesNotConform, match="a figure has no alternative text"):
        typeset(f'<html lang="en"><title>x</title><body>{svg}</body></html>', identifier=b"x")


def test_table_whose_cells_have_no_headers_is_not_made() -> None:
    table = "<table><tr><td>1<td>2</table>"
    with pytest.raises(DoesNotConform, match="a cell of a table names no header"):
        typeset(f'<html lang="en"><title>x</title><body>{table}</body></html>', identifier=b"x")
