"""The worker's two processes, with a real broker between them and the other side."""
