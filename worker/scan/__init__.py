"""What certificates are in use on this host: its ports, its daemons' files, its renewal tools."""
