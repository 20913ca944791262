"""What every page shares: the frame, the style, the tags, signing in, the page behind each refusal."""
