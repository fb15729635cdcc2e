"""A command as Redis reads it: an array of bulk strings (RESP, version 2)."""


def command(*words: str) -> bytes:
    """Return a command as the bytes that go to the server."""
    parts = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    return f"*{len(words)}\r\n{parts}".encode()
