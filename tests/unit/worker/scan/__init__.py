"""How certificates in use are found."""
