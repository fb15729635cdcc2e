"""What both sides agreed on: the language, the envelope, and everything that travels."""
