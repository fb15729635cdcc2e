"""Executors that live in processes of their own, and are killed by what they run."""

from tests.life import live as live_process
from tests.worker_host import WorkerHost, new_run_id, work
from worker.recovery import recover

KILL_EXECUTOR = "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat)"
# Stopped first: an executor takes a killed keeper's place, and a keeper that of a killed executor.
KILL_BOTH = "E=$(cut -d' ' -f4 /proc/$PPID/stat); kill -STOP $E; kill -9 $PPID $E"
SECRET = "hunter2-hunter3"


def live(host: WorkerHost) -> bool:
    """Let an executor do so in a process of its own; tell whether it lived to the end."""
    return live_process(lambda: be_executor(host))


def be_executor(host: WorkerHost) -> None:
    """Recover, and do all there is to do."""
    with host.executor() as executor:
        recover(executor._gate, executor._tools)
        work(executor)


def witnesses(host: WorkerHost, name: str) -> int:
    """Tell how often a step has had its effect."""
    path = host.root / "witness"
    return path.read_text().split().count(name) if path.exists() else 0


def deliver(host: WorkerHost, runbook: str) -> bytes:
    """Put an order into the inbox, with a secret if the runbook wants one."""
    run_id = new_run_id()
    sealed = host.sealed(runbook, run_id, key=SECRET) if "secret: true" in runbook else {}
    letter = host.order(runbook, run_id=run_id, sealed_params=sealed)
    host.inbox.put(letter)
    return letter
