"""Proposals on their way. May use `governance`, never the other way round."""
