"""The side that decides: signs, stores and sends orders, and records what came of them."""
