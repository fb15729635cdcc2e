"""Thousands of hosts in a few processes, which speak the real signed protocol."""
