"""A certificate authority of one's own, made with openssl as the how-to says."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from contract.broker import BrokerFiles


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority in a directory: ca.pem, and what it signed."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        folder.mkdir()
        made = cls(folder)
        made._openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=Denrei CA"),
        )
        return made

    @property
    def ca(self) -> str:
        return str(self.folder / "ca.pem")

    def sign(self, name: str, san: str = "", days: int = 30) -> BrokerFiles:
        """Sign a certificate; one of no days ended when it began."""
        self._openssl(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"),
        )
        (self.folder / "san").write_text(f"subjectAltName={san or f'DNS:{name}'}\n")
        self._openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
            *("-CAcreateserial", "-out", f"{name}.pem", "-days", str(days), "-extfile", "san"),
        )
        files = (self.folder / f"{name}.{end}" for end in ("pem", "key"))
        return BrokerFiles(self.ca, *map(str, files))

    def _openssl(self, *arguments: str) -> None:
        command = ["openssl", *arguments]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=20)
