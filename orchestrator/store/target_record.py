"""What a choice of hosts is made from: of a large fleet's hosts memory holds no more."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """As much of a host as it takes to choose it and to make its order."""

    name: str
    epoch: int
    seal_key: str
    labels: Mapping[str, str]
