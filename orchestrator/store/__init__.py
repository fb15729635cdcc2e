"""The store: what was ordered, what came of it, and every letter as its exact bytes."""
