"""The download of an attached file, for those who may see the submission or the draft that holds it."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance.people.models import User
from governance.refusals import NotPermitted
from workflows.proposals.models import Attachment, Proposal
from workflows.review.queries import visible_to


@require_safe
def attachment(request: HttpRequest, reference: str, digest: str) -> FileResponse:
    """Stream a file as a download, never shown in place. Raises NotPermitted to those who may not see the proposal."""
    assert isinstance(request.user, User)
    proposal = get_object_or_404(Proposal, reference=reference)
    file = _file(request.user, proposal, digest)
    if file is None or not default_storage.exists(file.stored_name):
        raise Http404(digest)
    response = FileResponse(
        default_storage.open(file.stored_name), as_attachment=True, filename=file.name, content_type=file.media_type
    )
    # Whatever the bytes say, no browser runs them in our name.
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


def _file(user: User, proposal: Proposal, digest: str) -> Attachment | None:
    """The file, if this person may have it: what was sent, or in the author's own draft."""
    if not visible_to(user).filter(pk=proposal.pk).exists():
        raise NotPermitted(_("You do not sit on a body that this proposal has reached."))
    files = list(proposal.attachments.filter(digest=digest))
    submissions = proposal.revisions.values_list("attachments", flat=True)
    was_sent = any(kept["digest"] == digest for submission in submissions for kept in submission)
    open_to_user = [file for file in files if was_sent or (file.removed_at is None and proposal.author_id == user.pk)]
    return open_to_user[-1] if open_to_user else None
