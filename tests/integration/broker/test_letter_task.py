"""A letter's task in a real Celery worker: called at once, and none ends the one who serves."""

import subprocess
import sys
from pathlib import Path

from contract.names import DELIVER_TASK
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from tests.waiting import eventually

CHECKOUT = Path(__file__).parents[3]
WORKER = """
import sys
from contract import log
from contract.letter_task import LetterTask
from contract.names import DELIVER_TASK
from contract.wire import make_app, serve

log.configure()
app = make_app("test", sys.argv[1], "host.x", 1)

@app.task(name=DELIVER_TASK, base=LetterTask, shared=False)
def deliver(text):
    print(text, flush=True)
    if text == "bad":
        raise ValueError("of no use")

sys.exit(serve(app))
"""


def test_task_that_breaks_is_logged_and_the_next_letter_is_served(
    tmp_path: Path, clean_redis: EmbeddedRedis
) -> None:
    """What breaks once would break again: it is not put back."""
    publisher = Publisher(clean_redis.url)
    for text in (b"bad", b"good"):
        publisher.publish("host.x", DELIVER_TASK, text)
    served, log = tmp_path / "served", tmp_path / "log"
    with served.open("wb") as out, log.open("wb") as err:
        command = [sys.executable, "-c", WORKER, clean_redis.url]
        with subprocess.Popen(command, cwd=CHECKOUT, stdout=out, stderr=err) as worker:
            try:
                eventually(lambda: served.read_text().split() == ["bad", "good"])
                assert publisher.waiting("host.x") == 0
            finally:
                worker.terminate()
    assert worker.returncode == 0
    assert '"letter_failed"' in log.read_text()
    assert "ValueError: of no use" in log.read_text()
    publisher.close()
