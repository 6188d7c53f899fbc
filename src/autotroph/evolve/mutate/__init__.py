"""Mutators: what makes a child of a candidate, one file each."""
