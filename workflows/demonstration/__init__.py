"""The demonstration: an invented institution and its proposals, replayed through the real actions in their own past."""
