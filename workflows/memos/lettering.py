"""What each glyph of a font says, so that a PDF can be read out and searched.

WeasyPrint gives a glyph the letters that it stood for when it was first drawn. Where two glyphs make one letter, such
as an n and a mark above it, the first is left without any, and the second keeps both for good. The font knows better:
which letter a glyph is for, and for which other glyphs it stands in (OpenType's `cmap` and `GSUB`).
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, Final

from fontTools.ttLib import TTFont
from weasyprint.text.fonts import get_hb_object_data

# Every way to read a glyph, by its number.
Letters = Mapping[int, frozenset[str]]

# A line of a ToUnicode map: a glyph and the letters it says, in UTF-16; and one that looks alike.
LINE: Final = re.compile(rb"<([0-9a-f]{4})> <([0-9a-f]*)>")
ALL_GLYPHS: Final = b"<0000> <ffff>"
# Kinds of substitution, as OpenType counts them.
SINGLE, ALTERNATE, LIGATURE, EXTENSION = 1, 3, 4, 7

_read: Final[dict[bytes, Letters]] = {}


def letters_of(font: Any) -> Letters:
    """What the glyphs of one of WeasyPrint's fonts say; each font is read once in the life of a process."""
    name = font.name.partition(b"+")[2]
    if name not in _read:
        # The font as it was before WeasyPrint left out what this PDF does not need.
        _read[name] = _letters_in(get_hb_object_data(font.hb_face), font.index)
    return _read[name]


def mended(line: bytes, letters: Letters) -> bytes:
    """A line of a ToUnicode map, with its glyph's own letters where it had others."""
    found = LINE.fullmatch(line)
    if found is None or line == ALL_GLYPHS:
        return line
    own = letters.get(int(found[1], 16), frozenset())
    said = bytes.fromhex(found[2].decode()).decode("utf-16-be")
    if not own or _plain(said) in map(_plain, own):
        return line
    return b"<%b> <%b>" % (found[1], min(own).encode("utf-16-be").hex().encode())


def _plain(text: str) -> str:
    """Text in its compatibility decomposition: a ligature is the same as its letters."""
    return unicodedata.normalize("NFKD", text)


def _letters_in(data: bytes, index: int) -> Letters:
    font = TTFont(BytesIO(data), fontNumber=index, lazy=True)
    letters: defaultdict[str, set[str]] = defaultdict(set)
    for code, glyph in font.getBestCmap().items():
        # What stands in a private use area is a letter to nobody else.
        if unicodedata.category(chr(code)) != "Co":
            letters[glyph].add(chr(code))
    substitutes = list(_substitutes(font))
    known = -1
    # A glyph may stand in for one that stands in for another.
    while known != len(letters):
        known = len(letters)
        for parts, substitute in substitutes:
            if substitute not in letters and all(part in letters for part in parts):
                letters[substitute].add("".join(min(letters[part]) for part in parts))
    return {font.getGlyphID(glyph): frozenset(own) for glyph, own in letters.items()}


def _substitutes(font: TTFont) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each glyph that may be drawn in place of others, with those."""
    if "GSUB" not in font:
        return
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            rule = table.ExtSubTable if table.LookupType == EXTENSION else table
            if rule.LookupType == SINGLE:
                yield from (((glyph,), substitute) for glyph, substitute in rule.mapping.items())
            elif rule.LookupType == ALTERNATE:
                yield from (((glyph,), each) for glyph, several in rule.alternates.items() for each in several)
            elif rule.LookupType == LIGATURE:
                for first, ligatures in rule.ligatures.items():
                    yield from (((first, *each.Component), each.LigGlyph) for each in ligatures)
