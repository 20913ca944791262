"""Verbs of `manage.py policy` that are long enough for a module of their own."""
