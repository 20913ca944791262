"""A memo's PDF judged by others: page-validation and pikepdf for its form, pyHanko for its seal."""

import zlib
from io import BytesIO

import page
import pikepdf
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.status import SignatureCoverageLevel as Coverage
from pyhanko_certvalidator import ValidationContext

from tests.workflows.memos import reading
from workflows.memos.sealing import Seal

# page-validation takes a stream that ends in a carriage return for one byte shorter than it says.
FALSE_ALARM = "PDFA3A-STREAM-LENGTH-001"


def faults(pdf: bytes) -> list[str]:
    """What keeps a file from being PDF/A-3a and PDF/UA-1."""
    reports = [
        page.validate_pdf_bytes(pdf, profile=profile)
        for profile in (page.ValidationProfile.PDF_A_3A, page.ValidationProfile.PDF_UA_1)
    ]
    found = [f"{failure.rule_id}: {failure.message}" for report in reports for failure in report.failures]
    if any(each.startswith(FALSE_ALARM) for each in found) and not complaints_of_qpdf(pdf):
        found = [each for each in found if not each.startswith(FALSE_ALARM)]
    return found


def complaints_of_qpdf(pdf: bytes) -> list[str]:
    with pikepdf.open(BytesIO(pdf)) as document:
        return document.check_pdf_syntax()


def misshapen(pdf: bytes) -> list[str]:
    """What a reader or a screen reader would miss."""
    with reading.opened(pdf) as document:
        root, tags = document.Root, reading.tags(document)
        fonts = reading.fonts(document)
        cells = set()
        for table in reading.named(tags, "Table"):
            parts = list(reading.inside(table))
            headers = {str(header.ID) for header in reading.named(parts, "TH")}
            if not all({str(each) for each in cell.A.Headers} <= headers for cell in reading.named(parts, "TD")):
                cells.add("a table's cell names a header that is not there")
        checks = {
            "not tagged": bool(root.MarkInfo.Marked) and bool(tags),
            "no language": str(root.Lang) != "",
            "no title": bool(root.ViewerPreferences.DisplayDocTitle) and bool(str(document.docinfo.Title)),
            "not one heading at the top": len(reading.named(tags, "H1")) == 1,
            "a figure without words": all(str(each.get("/Alt", "")) for each in reading.named(tags, "Figure")),
            "no output intent": [str(each.S) for each in root.OutputIntents] == ["/GTS_PDFA1"],
            "other attachments": sorted(document.attachments) == ["record.json", "record.tlog-proof"],
            "attachments not of the document": [str(each.AFRelationship) for each in root.AF]
            == ["/Data", "/Supplement"],
            "a glyph that says nothing": all(
                b"<>" not in each.ToUnicode.read_bytes() for each in reading.fonts(document)
            ),
            "a font that is not embedded": all(
                {"/FontFile2", "/FontFile3"} & set(font.DescendantFonts[0].FontDescriptor.keys()) for font in fonts
            ),
        }
    return [name for name, holds in checks.items() if not holds] + sorted(cells)


def is_sealed(pdf: bytes, seal: Seal, *, coverage: Coverage = Coverage.ENTIRE_FILE) -> bool:
    """Whether one signature, by the certificate of `seal` and no other, certifies the whole file, and nothing was added
    to it."""
    try:
        (signature,) = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
        trusted = [seal.signer.signing_cert, *seal.roots]
        status = validate_pdf_signature(signature, ValidationContext(trust_roots=trusted))
    except (PdfError, SignatureValidationError, ValueError, LookupError, TypeError, zlib.error):
        return False
    return (
        status.bottom_line
        and status.coverage is coverage
        and status.docmdp_ok
        and signature.docmdp_level is MDPPerm.NO_CHANGES
        and (status.modification_level is ModificationLevel.NONE or coverage is not Coverage.ENTIRE_FILE)
    )
