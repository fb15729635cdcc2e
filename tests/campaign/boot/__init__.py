"""A real boot: both units under a real systemd, on a Debian made for it."""
