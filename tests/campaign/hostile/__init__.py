"""Messages that no Denrei would send, against a real worker and a real server."""
