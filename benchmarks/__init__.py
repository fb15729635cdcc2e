"""Measurements of speed, cost and scale: real parts, several repeats, medians and spreads."""
