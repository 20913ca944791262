"""Policies as versioned law: the text that people read and the typed rules that the system follows, bound together by
one digest."""
