"""The tests: unit, integration (a real Redis, real processes) and end to end."""
