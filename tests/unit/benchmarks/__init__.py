"""The benchmarks' own parts: what they tell, and what they simulate."""
