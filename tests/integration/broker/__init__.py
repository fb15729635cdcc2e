"""Brokers over TLS."""
