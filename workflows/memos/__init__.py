"""Decision memos: the numbered, generated document that transmits a decision."""
