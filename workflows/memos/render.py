"""Facts to HTML to PDF. The same facts give the same bytes, on any machine and at any time.

Nothing of the present moment goes in, and the fonts are our own.
"""

from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.template.loader import render_to_string
from django.utils.translation import override

from governance.audit.canonical import digest_of
from workflows.memos.facts import MemoFacts

# Counts the changes of template, stylesheet and fonts; each memo keeps the version that it was made with.
TEMPLATE_VERSION: Final = 1

PAPERS: Final = ("letter", "a4")


def render(facts: MemoFacts) -> bytes:
    """The memo as a tagged PDF (PDF/UA-1).

    Raises `typesetting.NoSuchLetter` for a character that no font here can print, and `typesetting.ForeignAddress`
    should the page ask for any file but our own.
    """
    # WeasyPrint takes half a second to import, and the web process never needs it.
    from workflows.memos.typesetting import typeset

    identifier = digest_of({"facts": facts.as_json(), "template": TEMPLATE_VERSION, "paper": paper()})
    return typeset(as_html(facts), identifier=bytes.fromhex(identifier))


def as_html(facts: MemoFacts) -> str:
    """The memo's page. Every fact is escaped; the template asks nothing but these facts."""
    with override(settings.LANGUAGE_CODE):
        return render_to_string("memos/memo.html", {"facts": facts, "paper": paper()})


def paper() -> str:
    """The size of sheet that the institution prints on: the setting MEMO_PAPER, "letter" where there is none."""
    chosen: str = getattr(settings, "MEMO_PAPER", "letter")
    if chosen not in PAPERS:
        raise ImproperlyConfigured(f"MEMO_PAPER is one of {', '.join(PAPERS)}, not {chosen!r}")
    return chosen
