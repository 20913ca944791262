"""The download of an attached file, for those who may see the submission or the draft that holds it; and, for the
author, who read the confidential ones."""

from typing import Any

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance.people.models import User
from governance.refusals import NotPermitted, NotPossible
from governance.site.templatetags.assent import day
from workflows.proposals.actions import note_reading
from workflows.proposals.models import Attachment, Proposal
from workflows.proposals.queries import readings_of
from workflows.review.queries import visible_to


@require_safe
def attachment(request: HttpRequest, reference: str, digest: str) -> FileResponse:
    """Stream a file as a download, never shown in place; that somebody reads a confidential one is recorded before its
    first byte goes out.

    Raises NotPermitted to those who may not see the proposal, NotPossible once its files were disposed of.
    """
    assert isinstance(request.user, User)
    proposal = get_object_or_404(Proposal, reference=reference)
    file = _file(request.user, proposal, digest)
    if file is None:
        raise Http404(digest)
    if proposal.disposed_at is not None:
        said = {"day": day(proposal.disposed_at)}
        raise NotPossible(_("The files of this proposal were disposed of on %(day)s.") % said)
    try:
        content: Any = default_storage.open(file.stored_name)
    except FileNotFoundError as error:
        raise Http404(digest) from error
    if file.confidential and proposal.author_id != request.user.pk and request.method == "GET":
        file.proposal = proposal
        try:
            note_reading(actor=request.user, attachment=file)
        except BaseException:
            content.close()
            raise
    response = FileResponse(content, as_attachment=True, filename=file.name, content_type=file.media_type)
    # Whatever the bytes say, no browser runs them in our name.
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
def readings(request: HttpRequest, reference: str) -> HttpResponse:
    """Who read the confidential files of a proposal, and when. Raises NotPermitted to all but its author."""
    assert isinstance(request.user, User)
    proposal = get_object_or_404(Proposal, reference=reference)
    if proposal.author_id != request.user.pk:
        raise NotPermitted(_("Only the author of a proposal sees who read its confidential files."))
    found = readings_of(proposal)
    # A file that was removed and attached again is one file: its bytes are the same.
    confidential = {file.digest: file for file in proposal.attachments.filter(confidential=True)}
    files = [(file, found.get(digest, [])) for digest, file in confidential.items()]
    return render(request, "review/readings.html", {"nav": "proposals", "proposal": proposal, "files": files})


def _file(user: User, proposal: Proposal, digest: str) -> Attachment | None:
    """The file, if this person may have it: what was sent, or in the author's own draft.

    Where the same bytes are attached twice, once as confidential, they are confidential.
    """
    if not visible_to(user).filter(pk=proposal.pk).exists():
        raise NotPermitted(_("You do not sit on a body that this proposal has reached."))
    files = list(proposal.attachments.filter(digest=digest))
    submissions = proposal.revisions.values_list("attachments", flat=True)
    was_sent = any(kept["digest"] == digest for submission in submissions for kept in submission)
    open_to_user = [file for file in files if was_sent or (file.removed_at is None and proposal.author_id == user.pk)]
    return max(open_to_user, key=lambda file: (file.confidential, file.pk), default=None)
