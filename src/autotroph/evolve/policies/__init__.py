"""Search policies: one file each, by the formula of its source."""
