"""The institution: its people, units and bodies, who holds which duty on which body, and what a duty allows."""
