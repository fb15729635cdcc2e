"""`denrei-worker cert` with the commands below it."""

from worker.cert_cli import cert
from worker.cert_scan_cli import scan

cert.add_command(scan)

__all__ = ["cert"]
