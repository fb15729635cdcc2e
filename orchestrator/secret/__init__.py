"""Secrets on the orchestrator's side: where they are kept, and how they are read from there."""
