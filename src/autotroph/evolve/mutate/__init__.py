"""Mutators: one file each. What makes a child of a candidate, with a model or without one."""
