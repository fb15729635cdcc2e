"""What a service of the host exits with to tell whoever supervises it something."""

EXIT_CONFIG = 78  # EX_CONFIG: starting it again is of no use
EXIT_ASLEEP = 80  # idle: start it for the next letter
EXIT_STALLED = 75  # EX_TEMPFAIL: start it again
