"""HTML to a PDF for archives and for screen readers, with WeasyPrint cut off from all but our stylesheet and fonts.

Slow to import: import it late.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from weasyprint import CSS, HTML, Attachment
from weasyprint.css import ColorProfile
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from workflows.memos.conformance import CannotPrint, NoSuchLetter, check_letters, finish

STATIC: Final = Path(__file__).parent / "static" / "memos"
# Relative addresses need a base to be joined to. This one leads nowhere, also if it were asked for.
BASE: Final = "https://memo.invalid/"
STYLESHEET: Final = "memo.css"
# WeasyPrint makes one standard at a time; `conformance.finish` adds the other.
VARIANT: Final = "pdf/a-3a"
OWN: Final = {
    BASE + path.relative_to(STATIC).as_posix(): path for path in (STATIC / STYLESHEET, *STATIC.glob("fonts/*.woff2"))
}


class ForeignAddress(CannotPrint):
    """The page asked for something that is not one of our own files."""


class OwnFilesOnly(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Serves the stylesheet's fonts, and ends the rendering whatever else is asked for."""

    def __init__(self) -> None:
        super().__init__(fail_on_errors=True)
        # WeasyPrint swallows some refusals, such as that of an image within an image.
        self.refused: list[str] = []

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        if url not in OWN:
            self.refused.append(url[:200])
            raise PermissionError("a memo is made of its own files only")
        return URLFetcherResponse(url, BytesIO(OWN[url].read_bytes()))


@dataclass(frozen=True)
class Enclosure:
    """A file that goes inside the PDF. `relationship` is one of PDF's own words for what it is to the document."""

    name: str
    media_type: str
    relationship: str
    description: str
    content: bytes


def typeset(html: str, *, identifier: bytes, enclosures: Sequence[Enclosure] = (), at: datetime | None = None) -> bytes:
    """The page as PDF/A-3a and PDF/UA-1 in one; its bytes depend on the arguments and our files alone.

    `at` dates the enclosures. Raises a `CannotPrint` for a page that cannot be made so.
    """
    check_letters(html)
    fetcher = OwnFilesOnly()
    stylesheet, fonts = style()
    attachments = [
        Attachment(
            file_obj=BytesIO(each.content),
            name=each.name,
            description=each.description,
            relationship=each.relationship,
            created=at,
            modified=at,
        )
        for each in enclosures
    ]
    media_types = {each.name: each.media_type for each in enclosures}

    def finisher(document: Any, pdf: Any) -> None:
        if fetcher.refused:
            raise ForeignAddress(f"a memo is made of its own files only, not of {', '.join(fetcher.refused)}")
        finish(document, pdf, media_types=media_types)

    try:
        document = HTML(string=html, base_url=BASE, url_fetcher=fetcher).render(
            font_config=fonts, stylesheets=[stylesheet], pdf_variant=VARIANT, color_profiles={"memo": colours()}
        )
        pdf: bytes = document.write_pdf(
            pdf_identifier=identifier,
            pdf_variant=VARIANT,
            output_intent="memo",
            attachments=attachments,
            finisher=finisher,
        )
    except FatalURLFetchingError as error:
        # A BaseException, to get past every `except` on its way here. From here on, a worker must survive it.
        raise ForeignAddress(str(error)) from error
    missing = {chr(code) for font in document.fonts.values() for code in font.missing}
    if missing:
        raise NoSuchLetter(missing)
    return pdf


def colours() -> ColorProfile:
    """What the memo's colours mean: sRGB, by the profile that comes with WeasyPrint.

    Left to itself, WeasyPrint opens the file for every document and leaves it open.
    """
    return ColorProfile(BytesIO(_profile()), "sRGB2014.icc", "relative-colorimetric", (["r"], ["g"], ["b"]))


@lru_cache(maxsize=1)
def _profile() -> bytes:
    return files("weasyprint.pdf").joinpath("sRGB2014.icc").read_bytes()


@lru_cache(maxsize=1)
def style() -> tuple[Any, Any]:
    """Our stylesheet with its fonts, unpacked once in the life of a process."""
    fonts = FontConfiguration()
    text = (STATIC / STYLESHEET).read_text()
    return CSS(string=text, base_url=BASE, url_fetcher=OwnFilesOnly(), font_config=fonts), fonts
