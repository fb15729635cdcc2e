"""Real faults on a real fleet: broken, healed, and held to the laws."""
