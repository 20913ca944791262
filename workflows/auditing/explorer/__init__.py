"""The record as administrators and auditors look through it: lists of events, one event, a proposal as of a moment."""
