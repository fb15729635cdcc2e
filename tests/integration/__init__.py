"""Tests over a real Redis and real processes."""
