"""The truth about a certificate: its file, its process and its port, judged together."""
