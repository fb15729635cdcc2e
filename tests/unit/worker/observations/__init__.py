"""Each kind of observation against real files, processes and ports."""
