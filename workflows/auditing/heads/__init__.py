"""The log's checkpoints, keys and proofs, open to everybody, and lodged outside every day."""
