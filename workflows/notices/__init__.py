"""Everything that leaves the house: the outbox that an action writes to, and the worker that empties it."""
