"""What WeasyPrint leaves to do until a memo is PDF/A-3a and PDF/UA-1 at once, and what would keep it from being so.

Both standards ask that every word can be read out and searched, so a character without a glyph, or without a meaning
that others know, stops the memo before it is issued.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from workflows.memos import xmp
from workflows.memos.lettering import letters_of, mended

# PDF user units in a CSS pixel.
UNITS: Final = 0.75
# What the catalog of every memo names.
CATALOG: Final = ("Lang", "MarkInfo", "Metadata", "OutputIntents", "StructTreeRoot", "ViewerPreferences")


class CannotPrint(Exception):
    """The memo cannot be made as it is. An administrator reads why in the outbox."""


class NoSuchLetter(CannotPrint):
    """A character that neither our fonts nor the machine's have. A memo with an empty box in it is not issued."""

    def __init__(self, characters: Iterable[str]) -> None:
        super().__init__(
            f"No font on this machine can print {_named(characters)}. "
            "Install one that has it, such as fonts-noto-core or fonts-noto-cjk, and try again."
        )


class NoKnownLetter(CannotPrint):
    """A character of Unicode's private use areas: it looks like something in one font and means nothing elsewhere."""

    def __init__(self, characters: Iterable[str]) -> None:
        super().__init__(
            f"What {_named(characters)} means only the font knows that it was typed in, so nobody could read it out or "
            "search for it. The text must be changed."
        )


class DoesNotConform(CannotPrint):
    """The PDF lacks something that PDF/A-3a or PDF/UA-1 asks for."""


def _named(characters: Iterable[str]) -> str:
    return ", ".join(
        f"“{each}” (U+{ord(each):04X}, {unicodedata.name(each, 'unnamed')})" for each in sorted(characters)
    )


def check_letters(text: str) -> None:
    """See that every character means the same to everybody. Raises NoKnownLetter."""
    private = {each for each in set(text) if unicodedata.category(each) == "Co"}
    if private:
        raise NoKnownLetter(private)


def finish(document: Any, pdf: Any, *, media_types: Mapping[str, str]) -> None:
    """Mend the PDF that WeasyPrint is about to write. Raises DoesNotConform for one that would not conform.

    `media_types` are those of the attachments, by name: WeasyPrint would ask the machine what it thinks of the names.
    """
    metadata = document.metadata
    stream = _object(pdf, pdf.catalog["Metadata"])
    stream.stream = [
        xmp.packet(
            title=metadata.title or "",
            authors=metadata.authors,
            description=metadata.description or "",
            tool=metadata.generator or "",
            producer=_text(pdf.info["Producer"]),
            created=metadata.created or "",
            modified=metadata.modified or "",
        )
    ]
    # Both standards want metadata that can be found without decoding.
    stream.compress = False
    for file in _dictionaries(pdf, "Filespec"):
        name = _text(file["UF"])
        file["EF"]["UF"] = file["EF"]["F"]
        _object(pdf, file["EF"]["F"]).extra["Subtype"] = f"/{media_types[name].replace('/', '#2f')}"
    if "AF" in pdf.catalog:
        # WeasyPrint names each attachment twice.
        pdf.catalog["AF"][:] = dict.fromkeys(pdf.catalog["AF"])
    letters = {font.name: letters_of(font) for font in document.fonts.values()}
    for font in _fonts(pdf):
        cmap = _object(pdf, font["ToUnicode"])
        cmap.stream = [mended(line, letters[font["BaseFont"]]) for line in cmap.stream]
    heights = dict(zip(pdf.page_references, (page.height for page in document.pages), strict=True))
    for element in _dictionaries(pdf, "StructElem"):
        if element["S"] == "/Figure":
            _turn_upright(element["A"]["BBox"], heights[element["Pg"]])
    lacking = list(_lacking(pdf))
    if lacking:
        raise DoesNotConform(f"The PDF would not conform to PDF/A-3a and PDF/UA-1: {', '.join(lacking)}.")


def _turn_upright(box: Any, height: float) -> None:
    """Count a figure's box from the sheet's lower left corner in PDF units; WeasyPrint leaves it in CSS pixels."""
    left, top, right, bottom = box
    box[:] = [left * UNITS, (height - bottom) * UNITS, right * UNITS, (height - top) * UNITS]


def _lacking(pdf: Any) -> Iterator[str]:
    yield from (f"its catalog names no {key}" for key in CATALOG if key not in pdf.catalog)
    for element in _dictionaries(pdf, "StructElem"):
        if element["S"] == "/Figure" and not element.get("Alt"):
            yield "a figure has no alternative text"
        if element["S"] == "/TD" and not element["A"].get("Headers"):
            yield "a cell of a table names no header"
    for annotation in _dictionaries(pdf, "Annot"):
        if not annotation.get("Contents"):
            yield "a link does not say where it leads"
    for font in _fonts(pdf):
        if any(line.endswith(b" <>") for line in _object(pdf, font["ToUnicode"]).stream):
            yield f"not every glyph of {font['BaseFont'].decode()} can be read out"


def _fonts(pdf: Any) -> Iterator[Any]:
    return (font for font in _dictionaries(pdf, "Font") if "ToUnicode" in font)


def _dictionaries(pdf: Any, kind: str) -> Iterator[Any]:
    return (each for each in pdf.objects if isinstance(each, dict) and each.get("Type") == f"/{kind}")


def _object(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]


def _text(string: Any) -> str:
    """What a PDF string says."""
    said: str | bytes = string.string
    return said.decode() if isinstance(said, bytes) else said
