"""Facts to HTML to PDF. The same facts give the same bytes, on any machine and at any time.

Nothing of the present moment goes in, and the fonts are our own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from typing import Final

import segno
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.template.loader import render_to_string
from django.utils.translation import override

from governance.audit.canonical import digest_of
from workflows.memos.facts import MemoFacts
from workflows.memos.names import PROOF, RECORD

# Counts the changes of template, stylesheet and fonts; each memo keeps the version that it was made with.
TEMPLATE_VERSION: Final = 2

PAPERS: Final = ("letter", "a4")

# The files inside every memo, by which others find them.


def render(facts: MemoFacts) -> bytes:
    """The memo as a PDF that is PDF/A-3a and PDF/UA-1 at once, with its record and the proof attached.

    Raises a `conformance.CannotPrint` for words that cannot be printed so that everybody can read them, and
    `typesetting.ForeignAddress` should the page ask for any file but our own.
    """
    # WeasyPrint takes half a second to import, and the web process never needs it.
    from workflows.memos.typesetting import Enclosure, typeset

    identifier = digest_of({"facts": facts.as_json(), "template": TEMPLATE_VERSION, "paper": paper()})
    enclosures = (
        Enclosure(
            name=RECORD,
            media_type="application/json",
            relationship="Data",
            description="The event of the decision, as the record holds it",
            content=facts.record.encode(),
        ),
        Enclosure(
            name=PROOF,
            media_type="text/plain",
            relationship="Supplement",
            description="The proof that the log holds this event, and the signed checkpoint",
            content=facts.proof.encode(),
        ),
    )
    return typeset(
        as_html(facts),
        identifier=bytes.fromhex(identifier),
        enclosures=enclosures,
        at=facts.decided_at.astimezone(UTC),
    )


def as_html(facts: MemoFacts) -> str:
    """The memo's page. Every fact is escaped; the template asks nothing but these facts."""
    with override(settings.LANGUAGE_CODE):
        return render_to_string(
            "memos/memo.html", {"facts": facts, "paper": paper(), "code": code_of(facts.address_to_check)}
        )


@dataclass(frozen=True)
class Code:
    """A QR code as the path of a drawing, in modules: so many across."""

    size: int
    path: str


def code_of(address: str) -> Code:
    """The QR code of an address, which can still be read when a seventh of it is covered."""
    matrix = segno.make_qr(address, error="m").matrix
    return Code(size=len(matrix), path="".join(_dark(row, number) for number, row in enumerate(matrix)))


def _dark(row: Iterable[int], number: int) -> str:
    """A row's dark modules as strokes of a path."""
    path, at = "", 0
    for dark, run in groupby(row):
        length = len(list(run))
        path += f"M{at} {number}.5h{length}" if dark else ""
        at += length
    return path


def paper() -> str:
    """The size of sheet that the institution prints on: the setting MEMO_PAPER, "letter" where there is none."""
    chosen: str = getattr(settings, "MEMO_PAPER", "letter")
    if chosen not in PAPERS:
        raise ImproperlyConfigured(f"MEMO_PAPER is one of {', '.join(PAPERS)}, not {chosen!r}")
    return chosen
