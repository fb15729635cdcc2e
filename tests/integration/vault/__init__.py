"""Secrets from a real vault."""
