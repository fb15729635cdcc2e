"""The ledger on a simulated disk that loses its power at every moment."""
