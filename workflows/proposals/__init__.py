"""A proposal's content: drafts that can change, revisions that cannot, attachments and comments."""
