"""What denrei-worker exits with, and a service of the host to tell its supervisor something."""

EXIT_ERROR = 1  # told in one line; it may pass
EXIT_USAGE = 2
EXIT_LOOK = 3  # `status`: something needs a look
EXIT_INTERRUPTED = 130

EXIT_STALLED = 75  # EX_TEMPFAIL: start it again
EXIT_CONFIG = 78  # EX_CONFIG: starting it again is of no use
EXIT_ASLEEP = 80  # idle: start it for the next letter
