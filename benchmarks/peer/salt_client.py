"""Run by Salt's own Python: a warm client that does what its standard input says, and times it.

Each line in is a JSON list of a target, a function, its arguments and its pillar; each line out is
the seconds that it took, and what every minion said.
"""

import json
import sys
import time

import salt.client  # type: ignore[import-not-found]  # only Salt's own venv has it
from salt.exceptions import SaltException  # type: ignore[import-not-found]


def main(config: str) -> None:
    """Answer line by line until the input ends."""
    client = salt.client.LocalClient(c_path=config)
    for line in sys.stdin:
        minions, function, arguments, pillar = json.loads(line)
        keywords = {"pillar": pillar} if pillar else {}
        begun = time.perf_counter()
        try:
            said = client.cmd(minions, function, arguments, 60, "list", kwarg=keywords)
        except SaltException as error:  # such as a master that is not up yet
            said = {"master": str(error)}
            client = salt.client.LocalClient(c_path=config)  # with the key that there is now
        took = time.perf_counter() - begun
        print(json.dumps([took, {name: told(answer) for name, answer in said.items()}]), flush=True)


def told(answer: object) -> str:
    """Return in a word what a minion's answer comes to."""
    if not isinstance(answer, dict):
        return "true" if answer is True else str(answer)
    states = list(answer.values())
    if not all(isinstance(state, dict) and state["result"] is True for state in states):
        return json.dumps(answer)
    return "changed" if all(state["changes"] for state in states) else "ok"


if __name__ == "__main__":
    main(sys.argv[1])
