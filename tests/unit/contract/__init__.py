"""What both sides agreed on, tried rule by rule."""
