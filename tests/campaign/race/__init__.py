"""An unprivileged user against root: who is quicker when a path is walked."""
