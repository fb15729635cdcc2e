"""Hostile letters by the million, the attacks that have names, and the public vectors."""
