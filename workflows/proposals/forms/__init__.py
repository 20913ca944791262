"""The forms of the author's editor, made from the content document's own description of itself."""

from workflows.proposals.forms.pages import NewProposalForm, NoteForm, UploadForm
from workflows.proposals.forms.section import SectionForm, anchor_of

__all__ = [
    "NewProposalForm",
    "NoteForm",
    "SectionForm",
    "UploadForm",
    "anchor_of",
]
