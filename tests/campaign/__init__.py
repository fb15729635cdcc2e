"""Long, randomised attempts to break what Denrei promises: `./dev campaign`."""
