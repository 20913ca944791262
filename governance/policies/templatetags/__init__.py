"""What templates ask of policies."""
