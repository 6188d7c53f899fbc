"""Search policies, one a file: what a search tries next, from what its archive holds."""
