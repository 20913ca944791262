"""Reading a PDF back, as a screen reader or an auditor would."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pikepdf
from pypdf import PdfReader


def squash(text: str) -> str:
    """Text without its spaces: where lines and pages break is not what tests are about."""
    return "".join(text.split())


def text_of(pdf: bytes) -> str:
    """All text of all pages, squashed."""
    return squash("".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages))


def pages_of(pdf: bytes) -> int:
    return len(PdfReader(BytesIO(pdf)).pages)


def opened(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(BytesIO(pdf))


def tags(pdf: pikepdf.Pdf) -> list[Any]:
    """Every structure element, in reading order."""
    return list(inside(pdf.Root.StructTreeRoot))


def inside(element: Any) -> Iterator[Any]:
    """Every structure element under another, in reading order."""
    kids = element.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from inside(kid)


def named(elements: list[Any], *names: str) -> list[Any]:
    return [element for element in elements if str(element.S) in {f"/{name}" for name in names}]


def fonts(pdf: pikepdf.Pdf) -> list[Any]:
    """Every font that a page uses."""
    found = {}
    for page in pdf.pages:
        for font in page.Resources.Font.values():
            found[font.objgen] = font
    return list(found.values())
