"""Hears all that goes through Redis, and sees every process that shows up meanwhile."""

import threading
from pathlib import Path
from typing import Any, Self

import redis

END = "the end of the story"


class Listener(threading.Thread):
    """Notes every command to Redis, and every command line and environment on the machine."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._client: Any = redis.Redis.from_url(url)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._ended = threading.Event()
        self.heard: list[str] = []
        self.seen: dict[tuple[str, bytes], None] = {}

    def __enter__(self) -> Self:
        self._monitor = self._client.monitor().__enter__()
        self.start()
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.echo(END)
        self.join(10)
        self._ended.set()
        self._watcher.join(10)
        self._monitor.__exit__(None, None, None)
        self._client.close()

    def run(self) -> None:
        """Note what Redis is told, until the last word."""
        for command in self._monitor.listen():
            self.heard.append(command["command"])
            if END in command["command"]:
                return

    def _watch(self) -> None:
        while not self._ended.wait(0.002):
            for entry in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        self.seen[name, (entry / name).read_bytes()] = None
                    except OSError:
                        continue
