"""Tests of the whole house, as its users meet it."""
