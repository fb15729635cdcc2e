"""The actions: one module for each kind, and the table of them all."""
