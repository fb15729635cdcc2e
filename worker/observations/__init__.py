"""The probes: one module for each kind of observation, and the table of them all."""
