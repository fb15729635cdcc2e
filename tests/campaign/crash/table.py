"""Every crash point there is, by its name."""

from collections.abc import Mapping

from tests.campaign.crash.executor_points import EXECUTOR_POINTS
from tests.campaign.crash.point import CrashPoint
from tests.campaign.crash.wire_points import WIRE_POINTS

POINTS: Mapping[str, CrashPoint] = {p.name: p for p in (*WIRE_POINTS, *EXECUTOR_POINTS)}
