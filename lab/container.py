"""What the containers of compose.yaml run: `python -I -m lab.container VERB`."""

import signal
import subprocess
import sys
from pathlib import Path

import click

from contract.error import DenreiError
from contract.whole_file import write_whole
from lab import registry, renewal
from lab.certificate import LIFE_DAYS
from lab.cloud import Cloud, CloudError
from lab.command import find_script
from lab.host import LabError, LabHost
from lab.host_folder import INVITATION, host_config
from lab.places import Places

CLOUD_PORT = 8443  # the same on every host: one `-p domain=` fits all of them
REDIS = Path("/etc/denrei-redis")
HOSTS = Path("/srv")

_folder = click.option(
    "--folder",
    type=click.Path(path_type=Path),
    envvar="LAB_FOLDER",
    required=True,
    help="The host's folder: etc, state, root and cloud. Its name is the host's.",
)


@click.group()
def main() -> None:
    """Prepare and run the containers of the lab."""


@main.command()
@click.argument("hosts", nargs=-1, required=True)
def install(hosts: tuple[str, ...]) -> None:
    """Make what is missing of the server's home, of Redis's users, and of the HOSTS' clouds."""
    from lab.installation import Installation
    from orchestrator.cli.session import home_path

    folders = tuple(HOSTS / name for name in hosts)
    Installation(home_path(), REDIS, folders).make()
    click.echo(f"ready: the server's home, the clouds of {', '.join(hosts)}, and Redis's users")


@main.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
def tokens(folders: tuple[Path, ...]) -> None:
    """Put a token into the FOLDER of each host that is no member yet."""
    for folder in folders:
        if host_config(folder).admission.exists():
            continue
        told = subprocess.run(
            [find_script("denrei"), "host", "enrol", folder.name, "-l", "env=lab"],
            stdout=subprocess.PIPE,
            check=True,
        )
        write_whole(folder / INVITATION, told.stdout)
        click.echo(f"{folder.name}: a token is in {folder / INVITATION}")


@main.command()
@_folder
@click.option("--days", default=LIFE_DAYS, help="How long the first certificate is valid.")
@click.option("--cloud-port", default=CLOUD_PORT, help="Where the cloud listens; 0 is any.")
def host(folder: Path, days: int, cloud_port: int) -> None:
    """Be a host: the agent and the cloud that it talks to, and `denrei-worker run`."""
    with Cloud(folder / "cloud", first_port=cloud_port) as cloud:
        _bring_up(LabHost(folder / "root", folder.name, cloud), days)
        _enrol(folder)
        worker = subprocess.Popen([find_script("denrei-worker"), "run"])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.terminate())
        code = worker.wait()
    sys.exit(code)


@main.command()
@_folder
def renew(folder: Path) -> None:
    """Renew the agent's certificate behind its back: the incident."""
    root = folder / "root"
    name = Places(root).primary()
    if name is None:
        raise LabError(f"no workspace is onboarded under {root}")
    renewal.wait_until_stale(root, name)
    click.echo(f"{folder.name}: renewed, valid from {renewal.renew(root, name)}")


def _enrol(folder: Path) -> None:
    """Become a member by the token that lies there, unless this is one."""
    config = host_config(folder)
    if config.admission.exists():
        return
    where = ("--state", str(config.state), "--root", str(config.root))
    worker = [find_script("denrei-worker"), "--config", str(config.path)]
    command = [*worker, "enrol", f"@{folder / INVITATION}", "--policy", "strict", *where]
    if subprocess.run(command, check=False).returncode != 0:
        raise LabError(f"{folder.name} is not enrolled")
    (folder / INVITATION).unlink()


def _bring_up(host: LabHost, days: int) -> None:
    """Onboard a new host; start the agent of one that is onboarded, as a boot does."""
    if not host.places.workspaces():
        name, key = next(iter(registry.workspaces(host.cloud.directory).items()))
        host.onboard(name, key, days)
        return
    primary = host.places.primary()
    if primary is None:
        return  # removed, and not onboarded again: that is for `reonboard` to find
    if host.pid(primary) is None:
        # From before the start of this container: the number may be another process's by now.
        host.places.workspace(primary).pid_file.unlink(missing_ok=True)
    done = host.call(host.control, "start", primary)
    if done.returncode != 0:
        raise LabError(f"{host.name}: the agent does not start: {done.stderr.strip()}")


if __name__ == "__main__":
    try:
        main()
    except (DenreiError, LabError, CloudError, renewal.RenewalError, OSError) as error:
        sys.exit(f"lab: {error}")
