"""The public page that says whether a memo is ours, and unaltered."""
