"""Erasure of personal data, retention and legal holds."""
