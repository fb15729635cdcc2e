"""The observation `certificates`: those in use on this host, and how it stands with each."""

from collections import Counter

from contract.certificate import CertificateFact, CertificateVerdict
from contract.probe import Certificates
from worker.observations.observation import CertificateFields
from worker.root import Root


def observe_certificates(arguments: Certificates, root: Root) -> CertificateFields:
    """Scan the host; what could not be looked at is told, and is no error."""
    from worker.scan.discovery import Wishes
    from worker.scan.scan import scan

    found = scan(Wishes(tuple(arguments.paths), timeout=arguments.timeout), root)
    verdicts = Counter(fact.verdict for fact in found.facts)
    fields = CertificateFields(
        exists=bool(found.facts),
        count=len(found.facts),
        needing_work=len(found.needing_work),
        **{verdict.value: verdicts[verdict] for verdict in CertificateVerdict},
        **({"worst": found.worst.value} if found.worst else {}),
        work=[_told(fact) for fact in found.needing_work],
        complete=found.is_complete,
        problems=list(found.problems),
    )
    fields.certificates = found.facts
    fields.complete = found.is_complete
    return fields


def _told(fact: CertificateFact) -> str:
    return f"{fact.path or fact.endpoint}: {fact.verdict}: {fact.reason}"
