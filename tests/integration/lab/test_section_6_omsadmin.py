"""Section 6, omsadmin.sh: options, exit codes, and what each leaves on disk."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import uuid
from collections.abc import Iterator

import pytest

from lab import key_value
from tests.integration.lab.conftest import FALSE_LINE, WRONG_KEY, Site
from tests.waiting import eventually


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_onboarding_prints_the_documented_lines_and_uploads(fresh: Site) -> None:
    """The false line is printed on every fresh onboarding; dash shows the -e of echo."""
    done = fresh.join()
    guid = key_value.parse(fresh.files.identity)["AGENT_GUID"]
    assert done.returncode == 0
    for line in (
        FALSE_LINE,
        "-e info\tGenerating certificate ...",
        f"Agent GUID is {guid}",
        "Onboarding success",
        "INFO:  Configuring OMS agent service",
        "omsconfig is configured successfuly",
    ):
        assert line in done.stdout
    assert fresh.key[:8] not in done.stdout
    fresh.wait_for_upload(200)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-z"], 2),
        ([], 2),
        (["-v"], 2),
        (["-l", "stray"], 2),
        (["-w", "no-uuid", "-s", WRONG_KEY], 3),
        (["-w", str(uuid.uuid4())], 3),
        (["-w", str(uuid.uuid4()), "-s", "no*base64"], 3),
        (["-w", str(uuid.uuid4()), "-s", WRONG_KEY], 7),
        (["-h"], 0),
        (["-l"], 0),
        (["-X"], 0),
        (["-x", str(uuid.uuid4())], 0),
    ],
)
def test_options_have_their_exit_code(fresh: Site, arguments: list[str], code: int) -> None:
    """Without -d the name is at opinsights.azure.com, which no lab host can resolve."""
    assert fresh.admin(*arguments).returncode == code


def test_wrong_key_exits_5_with_the_reason_and_leaves_empty_directories(fresh: Site) -> None:
    """Half-onboarded: conf and certs exist and are empty of an identity."""
    done = fresh.join(key=WRONG_KEY)
    assert done.returncode == 5
    assert "-e error\t" in done.stdout
    assert "InvalidWorkspaceKey" in done.stdout
    assert not fresh.files.identity.exists()
    assert list(fresh.files.certificate.parent.iterdir()) == []
    assert not fresh.files.shared_key.exists()
    assert fresh.join().returncode == 0


def test_skewed_clock_exits_5(fresh: Site) -> None:
    fresh.host.configure(clock_skew=-1200)
    done = fresh.join()
    assert (done.returncode, "InvalidClientClock" in done.stdout) == (5, True)


def test_unknown_name_exits_7_and_refused_connection_8(fresh: Site, closed: int) -> None:
    assert fresh.join(tld=f"lab.test:{closed}").returncode == 8
    fresh.host.make_unresolvable(fresh.id)
    assert fresh.join().returncode == 7


def test_broken_ruby_exits_31(fresh: Site) -> None:
    fresh.host.places.ruby.unlink()
    assert fresh.join().returncode == 31


def test_certificate_that_cannot_be_written_exits_32(fresh: Site) -> None:
    fresh.files.key.mkdir(parents=True)
    assert fresh.join().returncode == 32


def test_missing_python_exits_60(fresh: Site) -> None:
    fresh.host.configure(python="absent")
    assert fresh.join().returncode == 60


@pytest.mark.parametrize("code", [33, 34])
def test_failed_dsc_leaves_the_agent_onboarded_and_running(fresh: Site, code: int) -> None:
    fresh.host.configure(dsc_exit=code)
    assert fresh.join().returncode == code
    assert fresh.host.pid() is not None
    fresh.wait_for_upload(200)


def test_agent_that_cannot_start_exits_0_all_the_same(fresh: Site) -> None:
    """The result of `service_control start` is ignored."""
    fresh.host.configure(agent="broken", pace=0.02)
    assert fresh.join().returncode == 0
    assert fresh.host.pid() is None


def test_certificate_the_service_cannot_read_exits_6(joined: Site) -> None:
    joined.control("stop", joined.id)
    joined.files.certificate.write_text("no certificate\n")
    assert joined.join().returncode == 6


def test_file_is_used_without_arguments_and_deleted_on_success(fresh: Site) -> None:
    fresh.write_file()
    assert fresh.admin("-l").returncode == 0
    assert fresh.host.places.onboarding_file.exists()
    assert fresh.admin().returncode == 0
    assert not fresh.host.places.onboarding_file.exists()
    fresh.wait_for_upload(200)


def test_file_is_sourced_by_a_shell(fresh: Site) -> None:
    """Whatever stands in it is run: values must be validated before they are written."""
    trace = fresh.host.root / "trace"
    fresh.write_file(more=f'MULTI_HOMING_MARKER="$(touch {trace})"\n')
    assert fresh.admin().returncode == 0
    assert trace.exists()


def test_verbose_shows_the_beginning_of_the_key_and_the_authorization(fresh: Site) -> None:
    done = fresh.join("-v")
    assert f"{fresh.key[:4]}... ({len(fresh.key)} characters)" in done.stdout
    assert f"Authorization: {fresh.id}; " in done.stdout
    assert fresh.key not in done.stdout


def test_shared_key_lies_on_disk_meanwhile_and_stays_after_a_kill(fresh: Site, deaf: int) -> None:
    """The reason for removing V/<ws>/tmp/shared_key after every outcome and at recovery."""
    command = [str(fresh.host.admin), "-w", fresh.id, "-s", fresh.key, "-d", f"lab.test:{deaf}"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"})
    path = fresh.files.shared_key
    eventually(lambda: path.exists() and path.read_text() == fresh.key, what="the key on disk")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    os.kill(running.pid, signal.SIGKILL)
    running.wait(timeout=10)
    assert path.read_text() == fresh.key


def test_values_are_split_again_at_blanks(fresh: Site) -> None:
    """Quoting does not help: a blank in a value makes two words of it."""
    assert fresh.admin("-w", f"{fresh.id} -s {fresh.key} -d {fresh.host.cloud.tld}").returncode == 0


def test_azure_resource_id_and_marker_are_kept(fresh: Site) -> None:
    assert fresh.join("-a", "/subscriptions/1", "-m", "second").returncode == 0
    assert key_value.parse(fresh.files.identity)["AZURE_RESOURCE_ID"] == "/subscriptions/1"
    assert (fresh.files.config / "conf/.multihoming_marker").read_text() == "second"
    assert fresh.host.places.primary() is None


@pytest.mark.parametrize("proxy", ["nowhere.test:1", "user@:"])
def test_unknown_or_badly_written_proxy_exits_4(fresh: Site, proxy: str) -> None:
    assert fresh.join("-p", proxy).returncode == 4


def test_removal_in_the_same_call_comes_last(fresh: Site) -> None:
    """`-X -w .. -s ..` onboards and then removes."""
    done = fresh.admin("-X", "-w", fresh.id, "-s", fresh.key, "-d", fresh.host.cloud.tld)
    assert done.returncode == 0
    assert "Onboarding success" in done.stdout
    assert not fresh.files.config.exists()


def test_remove_takes_any_name_unvalidated(joined: Site) -> None:
    """`-x sysconf` deletes the templates; `-x ../..` ends at the agent's own directories."""
    places = joined.host.places
    assert joined.admin("-x", "sysconf").returncode == 0
    assert not (places.config / "sysconf").exists()
    assert joined.admin("-x", "../../..").returncode == 0
    assert joined.files.identity.exists()


def test_proxy_user_makes_the_script_ask_for_a_password(fresh: Site) -> None:
    """On the terminal: so no runbook may ever use it."""
    assert "Proxy password for me: " in fresh.join("-p", "proxy.test:1", "-u", "me").stdout


def test_onboarding_comes_before_the_list_whatever_the_order(fresh: Site) -> None:
    done = fresh.admin("-l", "-w", fresh.id, "-s", fresh.key, "-d", fresh.host.cloud.tld)
    assert done.stdout.index("Onboarding success") < done.stdout.index("Primary Workspace:")


def test_rebuild_makes_lost_directories_again(joined: Site) -> None:
    shutil.rmtree(joined.files.state / "tmp")
    rotate = joined.host.root / f"etc/logrotate.d/omsagent-{joined.id}"
    rotate.unlink()
    assert joined.admin("-R").returncode == 0
    assert (joined.files.state / "tmp").is_dir()
    assert rotate.exists()
