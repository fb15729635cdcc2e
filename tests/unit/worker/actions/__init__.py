"""Each kind of action, done for real."""
