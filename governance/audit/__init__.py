"""The record: append-only events, and numbers that are never used twice. Knows nothing of people, policies or
proposals."""
