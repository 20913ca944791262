"""Writing a policy version in the browser: its text, its rules section by section, and its life."""
