"""Review: the acts on a proposal, the work items that bodies hold, and their decisions."""
