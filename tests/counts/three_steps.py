"""The work that the benchmarks measure, on a host of the tests."""

from pathlib import Path

from tests.worker_host import WorkerHost

THREE_STEPS = (Path(__file__).parents[2] / "benchmarks/three_steps.yaml").read_text()


def furnish(host: WorkerHost) -> None:
    """Give a host what the three steps need: a directory, and a program."""
    for folder in ("srv", "usr/bin"):
        (host.root / folder).mkdir(parents=True)
    program = host.root / "usr/bin/touch"
    program.write_bytes(Path("/usr/bin/touch").read_bytes())
    program.chmod(0o755)
