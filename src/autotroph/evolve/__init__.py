"""Artifacts that are text or directories: programs, agents, prompts, memories, and the search among their versions."""
