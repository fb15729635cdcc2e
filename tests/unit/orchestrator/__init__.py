"""Tests of the side that decides."""
