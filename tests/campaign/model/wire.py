"""The wire as a list of letters: what a broker may do to them is done by hand."""

from collections.abc import Callable, Sequence

from contract.broker import BrokerError
from contract.names import DELIVER_TASK, RECORD_TASK
from contract.post import Post


class Wire:
    """Stands where a publisher stands. Questions of presence are no letters, and dropped."""

    def __init__(self, hear: Callable[[str, bytes], None], moment: Callable[[], None]) -> None:
        """Tell `hear` of every letter; `moment` is when a publisher may crash."""
        self.down = False
        self.under_way: dict[str, list[bytes]] = {}
        self.ever: list[tuple[str, bytes]] = []
        self._hear, self._moment = hear, moment

    def publish(self, queue: str, task: str, blob: bytes) -> None:
        self.send([Post(queue, task, blob.decode())])

    def send(self, posts: Sequence[Post]) -> None:
        """Put letters on their way, one after another: whoever sends may crash in between."""
        for post in posts:
            self._send(post.queue, post.task, post.text.encode(), overtakes=post.overtakes)

    def waiting_in(self, queues: Sequence[str]) -> list[int]:
        return [self.waiting(queue) for queue in queues]

    def waiting(self, queue: str) -> int:
        if self.down:
            raise BrokerError("the broker is down")
        return len(self.under_way.get(queue, ()))

    def put(self, queue: str, letter: bytes) -> None:
        self.under_way.setdefault(queue, []).append(letter)

    def take(self, queue: str, which: int) -> bytes | None:
        """Take one out, not always the first."""
        letters = self.under_way.get(queue, [])
        return letters.pop(which % len(letters)) if letters else None

    def look(self, queue: str, which: int) -> bytes | None:
        """Read one, and leave it where it is."""
        letters = self.under_way.get(queue, [])
        return letters[which % len(letters)] if letters else None

    def again(self, which: int) -> None:
        """Put some letter of long ago on its way once more."""
        if self.ever:
            self.put(*self.ever[which % len(self.ever)])

    def close(self) -> None:
        """Nothing to let go of."""

    def _send(self, queue: str, task: str, blob: bytes, *, overtakes: bool) -> None:
        self._moment()
        letters = self.waiting(queue)
        if task in (DELIVER_TASK, RECORD_TASK):
            self._hear(queue, blob)
            self.under_way.setdefault(queue, []).insert(0 if overtakes else letters, blob)
            self.ever.append((queue, blob))
        self._moment()
