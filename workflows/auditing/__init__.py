"""For those who check: the record's explorer, exports for auditors, public verification, erasure and retention."""
