"""SIGKILL at every named moment at which something lasts, on an order's whole way."""
