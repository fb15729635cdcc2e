"""The version of Denrei, where it is written once.

Asking the installation for it (importlib.metadata) costs a host more than three megabytes.
"""

VERSION = "0.1.0"
