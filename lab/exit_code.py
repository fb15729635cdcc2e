"""The exit codes of the two scripts (oms-agent.md sections 5 and 6)."""

from enum import IntEnum


class Onboarding(IntEnum):
    """Exit codes of omsadmin.sh."""

    DONE = 0
    NOT_ALLOWED = 1
    BAD_OPTION = 2
    BAD_IDENTITY = 3
    PROXY = 4
    FORBIDDEN = 5
    NOT_OK = 6
    NAME_UNKNOWN = 7
    NOT_REACHED = 8
    INTERNAL = 30
    NO_GUID = 31
    NO_CERTIFICATE = 32
    NO_PYTHON = 60


class Service(IntEnum):
    """Exit codes of service_control; `is-running` gives 1 for running and 0 for not."""

    DONE = 0
    FAILED = 1
    PID_FILE_STAYS = 22
    INTERNAL = 30
    NO_SERVICE_MANAGER = 67
    STOPPED = 69
    BAD_VERB = 72
    NO_VERB = 75
    NOT_ROOT = 77
