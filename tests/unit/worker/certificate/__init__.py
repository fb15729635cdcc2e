"""Tests of the truth about certificates."""
