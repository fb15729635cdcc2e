"""Ansible over SSH to this machine: each host of the inventory is the same sshd by another name."""

import os
import resource
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from benchmarks.cost import cpu_ms
from benchmarks.equipment import environment
from benchmarks.figure import NotMeasuredError
from benchmarks.peer.sshd import Sshd

_PLAYBOOK = Path(__file__).with_name("three_steps.playbook.yaml")
_FORKS = 20
_WITHIN_S = 300.0


class Ansible:
    """An inventory and a playbook of three tasks."""

    def __init__(self, directory: Path, hosts: Sequence[str]) -> None:
        """Name the hosts; nothing is started yet."""
        self.hosts = list(hosts)
        self._directory = directory
        self._sshd = Sshd(directory / "sshd")

    def __enter__(self) -> Self:
        """Install Ansible if need be and start sshd. Raises NotMeasuredError."""
        self._bin = environment("ansible", "ansible-core") / "bin"
        self._sshd.__enter__()
        for host in self.hosts:
            (self._directory / "work" / host).mkdir(parents=True)
        self._inventory = self._directory / "inventory.ini"
        self._inventory.write_text("".join(map(self._line, self.hosts)))
        return self

    def __exit__(self, *_: object) -> None:
        self._sshd.__exit__()

    @property
    def version(self) -> str:
        """Return Ansible's version."""
        command = [str(self._bin / "ansible"), "--version"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return told.splitlines()[0]

    def run(self, hosts: Sequence[str], number: int) -> float:
        """Run the playbook so that each task acts; return the seconds from Enter to its end.

        Raises NotMeasuredError if a task did not act.
        """
        command = [str(self._bin / "ansible-playbook"), "-i", str(self._inventory)]
        command += ["-f", str(_FORKS), "-l", ",".join(hosts), "-e", f"number={number}"]
        begun = time.perf_counter()
        done = subprocess.run(
            [*command, str(_PLAYBOOK)],
            env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=_WITHIN_S,
        )  # fmt: skip
        seconds = time.perf_counter() - begun
        if done.returncode or done.stdout.count("changed=3") != len(hosts):
            raise NotMeasuredError(f"ansible-playbook said {(done.stdout + done.stderr)[-500:]}")
        return seconds

    def spent_ms(self) -> float:
        """Return the CPU time of ansible-playbook and of what sshd started, so far."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (used.ru_utime + used.ru_stime) * 1000 + cpu_ms([self._sshd.pid])

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "HOME": str(self._directory),
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        }

    def _line(self, host: str) -> str:
        settings = {
            "ansible_host": "127.0.0.1",
            "ansible_port": self._sshd.port,
            "ansible_user": self._sshd.user,
            "ansible_ssh_private_key_file": self._sshd.key,
            "ansible_python_interpreter": self._bin / "python",
            "here": self._directory / "work" / host,
        }
        return f"{host} {' '.join(f'{name}={value}' for name, value in settings.items())}\n"
