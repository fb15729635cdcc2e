"""compose.yaml and the Dockerfile, as far as they can be checked without Docker."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.health import ROLES

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
HOSTS = ("lab-1", "lab-2")


@pytest.mark.parametrize("name", SERVICES)
def test_service_has_no_more_rights_than_it_needs(name: str) -> None:
    """No capability, no way to gain one, nothing writable but its volumes, no port published."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"]
    assert not {"privileged", "cap_add", "ports", "pid"} & service.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_service_runs_as_an_ordinary_user(name: str) -> None:
    """Either compose.yaml names one, or the image that is built here does."""
    service = SERVICES[name]
    if "build" in service:
        stage = DOCKERFILE.partition(f"AS {service['build']['target']}\n")[2]
        assert "\nUSER denrei\n" in stage.partition("\nFROM ")[0]
    else:
        assert service["user"] not in ("root", "0")


def test_images_that_are_not_built_here_have_a_version() -> None:
    foreign = [service["image"] for service in SERVICES.values() if "build" not in service]
    bases = re.findall(r"^FROM (\S+:\S+)", DOCKERFILE, re.MULTILINE)
    assert foreign
    assert bases
    assert all(re.search(r":\d", image) for image in (*foreign, *bases))


def test_everything_is_installed_by_hash_or_from_here() -> None:
    installs = re.findall(r"pip .*?install (.*)", DOCKERFILE)
    assert installs
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)


def test_init_and_tokens_come_before_whom_they_are_for() -> None:
    """Each sees a host's volume at the very path at which that one sees it."""
    init, tokens = SERVICES["init"], SERVICES["tokens"]
    assert init["command"][-len(HOSTS) :] == list(HOSTS)
    assert tokens["command"][-len(HOSTS) :] == [f"/srv/{name}" for name in HOSTS]
    before = dict.fromkeys(HOSTS, "tokens") | dict.fromkeys(("tokens", "server", "redis"), "init")
    for name, first in before.items():
        assert SERVICES[name]["depends_on"][first]["condition"] == "service_completed_successfully"
        volumes = {volume.removesuffix(":ro") for volume in SERVICES[name]["volumes"]}
        assert volumes - {"redis-data:/data"} <= set(init["volumes"])


def test_redis_keeps_its_data_and_evicts_nothing() -> None:
    options = SERVICES["redis"]["command"]
    assert {"--appendonly yes", "--maxmemory-policy noeviction"} <= set(options)
    assert "--aclfile /etc/denrei-redis/users.acl" in options


def test_health_checks_ask_for_roles_that_there_are() -> None:
    asked = {name: SERVICES[name]["healthcheck"]["test"][-1] for name in (*HOSTS, "server")}
    assert asked == {**dict.fromkeys(HOSTS, "host"), "server": "server"}
    assert set(asked.values()) == set(ROLES)


def test_build_sees_all_that_the_package_is_made_of() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = [*wheel, "pyproject.toml", project["project"]["readme"]]
    needed += [*project["project"]["license-files"], "requirements"]
    assert set(ignored) >= {"*", *(f"!{name}" for name in needed)}
