"""Cells to values and back: one codec for each kind of argument in the contract."""
