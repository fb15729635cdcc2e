"""Keys that people have for SSH already: their public files, and the agent that signs with them."""
