"""HTML to a tagged PDF with WeasyPrint, cut off from everything but our own stylesheet and fonts.

Slow to import: import it late.
"""

import unicodedata
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

STATIC: Final = Path(__file__).parent / "static" / "memos"
# Relative addresses need a base to be joined to. This one leads nowhere, also if it were asked for.
BASE: Final = "https://memo.invalid/"
STYLESHEET: Final = "memo.css"
OWN: Final = {
    BASE + path.relative_to(STATIC).as_posix(): path for path in (STATIC / STYLESHEET, *STATIC.glob("fonts/*.woff2"))
}


class CannotPrint(Exception):
    """The memo cannot be made as it is. An administrator reads why in the outbox."""


class NoSuchLetter(CannotPrint):
    """A character that neither our fonts nor the machine's have. A memo with an empty box in it is not issued."""

    def __init__(self, characters: set[str]) -> None:
        named = (f"“{each}” (U+{ord(each):04X}, {unicodedata.name(each, 'unnamed')})" for each in sorted(characters))
        super().__init__(
            f"No font on this machine can print {', '.join(named)}. "
            "Install one that has it, such as fonts-noto-core or fonts-noto-cjk, and try again."
        )


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


def typeset(html: str, *, identifier: bytes) -> bytes:
    """The page as PDF bytes that depend on the page, our files and `identifier` alone."""
    fetcher = OwnFilesOnly()
    stylesheet, fonts = style()
    try:
        document = HTML(string=html, base_url=BASE, url_fetcher=fetcher).render(
            font_config=fonts, stylesheets=[stylesheet], pdf_variant="pdf/ua-1"
        )
        pdf: bytes = document.write_pdf(pdf_identifier=identifier, pdf_variant="pdf/ua-1")
    except FatalURLFetchingError as error:
        # A BaseException, to get past every `except` on its way here. From here on, a worker must survive it.
        raise ForeignAddress(str(error)) from error
    if fetcher.refused:
        raise ForeignAddress(f"a memo is made of its own files only, not of {', '.join(fetcher.refused)}")
    missing = {chr(code) for font in document.fonts.values() for code in font.missing}
    if missing:
        raise NoSuchLetter(missing)
    return pdf


@lru_cache(maxsize=1)
def style() -> tuple[Any, Any]:
    """Our stylesheet with its fonts, unpacked once in the life of a process."""
    fonts = FontConfiguration()
    text = (STATIC / STYLESHEET).read_text()
    return CSS(string=text, base_url=BASE, url_fetcher=OwnFilesOnly(), font_config=fonts), fonts
