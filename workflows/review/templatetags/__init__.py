"""Template tags by which pages of other apps show something of the review."""
