"""What the two files are called that a memo carries: its record, and the proof that the record is in the log."""

from typing import Final

RECORD: Final = "record.json"
PROOF: Final = "record.tlog-proof"
