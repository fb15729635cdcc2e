"""Random histories of a whole Denrei in one process, compared with a small model."""
