"""The log as anybody may see it without signing in: hashes and signatures, and never a word of what was recorded."""

import re
from collections.abc import Callable
from datetime import date
from itertools import islice
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance.audit.models import Checkpoint
from governance.audit.queries import keys_of_log, latest_checkpoint, noted
from governance.audit.verifier import to_base64
from workflows.auditing.heads import queries

DAYS_SHOWN: Final = 14
# Seconds that a copy may be kept on the way: of what changes, of what gains witnesses' lines, of what never changes.
A_MOMENT: Final = 30
AN_HOUR: Final = 3_600
A_YEAR: Final = 31_536_000

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_SIZE: Final = re.compile(r"[1-9]\d{0,17}")

View = Callable[..., HttpResponse]


def public(view: View) -> View:
    """An address that anybody may read, and nobody may write to."""
    return login_not_required(require_safe(view))


@public
def log(request: HttpRequest) -> HttpResponse:
    """What the log is, how far it goes, and how to keep a copy of its head."""
    known = keys_of_log()
    return render(
        request,
        "auditing/log.html",
        {
            "latest": latest_checkpoint(),
            "origin": known[-1].name if known else settings.LOG_NAME,
            "keys": known,
            "days": [(head, to_base64(bytes(head.root))) for head in islice(queries.last_of_days_before(), DAYS_SHOWN)],
            "address": settings.BASE_URL + reverse("log-checkpoint"),
        },
    )


@public
def latest(request: HttpRequest) -> HttpResponse:
    """The latest checkpoint as a signed note, with the witnesses' lines."""
    return _note(latest_checkpoint(), _("Nothing was signed yet."), A_MOMENT)


@public
def of_size(request: HttpRequest, size: int) -> HttpResponse:
    """The checkpoint over so many events, if one was signed over just as many."""
    return _note(queries.stored(size), _("No checkpoint was signed over %(size)s events.") % {"size": size}, AN_HOUR)


@public
def of_day(request: HttpRequest, day: str) -> HttpResponse:
    """The last checkpoint that was signed on a day, where the institution is."""
    try:
        wanted = date.fromisoformat(day) if _DAY.fullmatch(day) else None
    except ValueError:
        wanted = None
    if wanted is None or not 1900 <= wanted.year < 2200:
        return _wrong(_("Write a day as 2026-10-16."))
    return _note(queries.last_of_day(wanted), _("No checkpoint was signed on %(day)s.") % {"day": day}, A_MOMENT)


@public
def keys(request: HttpRequest) -> HttpResponse:
    """The public keys that ever signed the log, oldest first, a verifier key in each line."""
    return _text("".join(f"{key}\n" for key in keys_of_log()), AN_HOUR)


@public
def consistency(request: HttpRequest) -> HttpResponse:
    """The proof that one checkpoint continues another (RFC 9162): a hash in base64 in each line."""
    earlier, later = request.GET.get("from", ""), request.GET.get("to", "")
    if not _SIZE.fullmatch(earlier) or not _SIZE.fullmatch(later):
        return _wrong(_("Name the sizes of two checkpoints: consistency?from=100&to=200."))
    proof = queries.consistency(int(earlier), int(later))
    if proof is None:
        return _wrong(
            _("Proofs are given from a checkpoint to a later one; %(earlier)s and %(later)s are not such sizes.")
            % {"earlier": earlier, "later": later}
        )
    return _text("".join(f"{to_base64(hashed)}\n" for hashed in proof), A_YEAR)


def _note(checkpoint: Checkpoint | None, otherwise: str, seconds: int) -> HttpResponse:
    if checkpoint is None:
        return _text(f"{otherwise}\n", A_MOMENT, status=404)
    return _text(noted(checkpoint), seconds)


def _wrong(sentence: str) -> HttpResponse:
    return _text(f"{sentence}\n", A_MOMENT, status=400)


def _text(text: str, seconds: int, *, status: int = 200) -> HttpResponse:
    response = HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)
    response["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(response, public=True, max_age=seconds)
    return response
