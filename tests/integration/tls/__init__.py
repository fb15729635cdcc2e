"""Daemons of Debian's that serve certificates, and the runbooks that see to them."""
