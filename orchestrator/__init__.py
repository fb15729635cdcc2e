"""The side that decides: signs orders, stores them, sends them out, and records what came of them."""
