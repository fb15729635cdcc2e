"""Mutants of the protocol: each promise broken on purpose, and a test that must notice."""
