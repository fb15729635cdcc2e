"""The stand-ins, tried against the facts that are known of the real agent."""
