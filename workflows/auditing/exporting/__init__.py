"""Packages for auditors: asked for, written in the background, fetched."""
