"""What the past teaches: which proposals were decided under which version, and what a draft would have changed."""
