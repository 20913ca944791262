"""The issued memo as a file, for those who may see its proposal."""

import logging

from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance.audit.canonical import digest
from governance.people.models import User
from governance.refusals import NotPossible
from workflows.memos.models import Memo
from workflows.review.permits import Act, refusal
from workflows.review.queries import standing

logger = logging.getLogger("assent.memos")


@require_safe
def memo(request: HttpRequest, number: str) -> HttpResponse:
    """The PDF, to be shown by the browser. A stored file that is not the one issued is never handed out."""
    issued = get_object_or_404(Memo.objects.select_related("decision__proposal__policy_version"), number=number)
    assert isinstance(request.user, User)
    refused = refusal(Act.VIEW, standing(request.user, issued.decision.proposal))
    if refused is not None:
        raise refused
    response = HttpResponse(_file_of(issued), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{issued.file_name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-cache"
    return response


def _file_of(issued: Memo) -> bytes:
    """The memo's bytes. Raises NotPossible when they are not there or not those that were issued."""
    try:
        with default_storage.open(issued.stored_name) as file:
            found: bytes = file.read()
    except OSError as error:
        logger.error("memo %s: its file %s cannot be read: %s", issued.number, issued.stored_name, error)
        raise NotPossible(
            _("The file of memo %(number)s cannot be read. An administrator must restore it.")
            % {"number": issued.number}
        ) from error
    if digest(found) != issued.digest:
        logger.error("memo %s: its file %s is not the one issued", issued.number, issued.stored_name)
        raise NotPossible(
            _(
                "The stored file of memo %(number)s is not the one that was issued, so it is not shown. "
                "An administrator must restore it."
            )
            % {"number": issued.number}
        )
    return found
