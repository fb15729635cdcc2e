"""What a runbook and the fleet learn of a certificate that was looked at."""

from pathlib import Path

import pytest

from contract.certificate import CertificateVerdict as Verdict
from contract.probe import CertificateState
from tests.unit.worker.certificate.daemons import DAY, in_turn, issue
from tests.unit.worker.observations.certificates import key_pem
from tests.unit.worker.observations.servers import serving
from tests.unit.worker.privilege import forbidden
from worker.certificate.fact import to_fact
from worker.certificate.look import look
from worker.observations.certificate_state import observe_certificate_state
from worker.observations.observation import ObservationError
from worker.root import Root


def test_observation_gives_the_fleet_its_fact(tmp_path: Path) -> None:
    old, new = issue(ends=20 * DAY), issue()
    path = old.put(tmp_path / "crt")
    (tmp_path / "key").write_bytes(key_pem(new.key))
    with serving(in_turn([path])) as port:
        new.put(path)
        fields = observe_certificate_state(
            CertificateState(path="/crt", key="/key", port=port), Root(tmp_path)
        )
    (fact,) = fields.certificates
    assert not fields.complete
    assert (fact.path, fact.endpoint) == ("/crt", f"127.0.0.1:{port}")
    assert (fact.verdict, fact.confirmed) == (Verdict.STALE_IN_MEMORY, True)
    assert (fact.sha256, fact.served_sha256) == (new.sha256, old.sha256)
    assert fields["served_sha256"] == old.sha256
    assert fields["served_not_after"] == fields["outage_at"]
    assert fields["key_matches"] is True
    assert fact.san == ["DNS:www.example.com"]


def test_fact_of_times_before_1970_leaves_them_out(tmp_path: Path) -> None:
    made = issue(begins=-60 * 366 * DAY, ends=-58 * 365 * DAY)
    arguments = CertificateState(path=str(made.put(tmp_path / "crt")))
    state = look(arguments, Root())
    assert state.verdict is Verdict.EXPIRED
    fact = to_fact(state, arguments)
    assert (fact.not_before, fact.not_after, fact.outage_at) == (None, None, None)


def test_observation_of_what_may_not_be_read_is_unknown(tmp_path: Path) -> None:
    """Not knowing is neither missing nor unreadable; the command line says it as it is."""
    closed = tmp_path / "closed"
    closed.mkdir()
    pair = issue()
    pair.put(closed / "crt")
    pair.put(tmp_path / "crt")
    with forbidden(closed):
        for arguments in (
            CertificateState(path="/closed/crt"),
            CertificateState(path="/crt", key="/closed/crt"),
        ):
            with pytest.raises(ObservationError, match="permission denied"):
                observe_certificate_state(arguments, Root(tmp_path))
            assert look(arguments, Root(tmp_path)).verdict is Verdict.UNREADABLE
