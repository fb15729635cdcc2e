"""Whether a RabbitMQ is set up well for Denrei: what should be, what is, and what to do."""

from collections.abc import Iterator, Sequence

from orchestrator.broker.definitions import vhost_in
from orchestrator.broker.finding import Finding, identity, transport
from orchestrator.broker.rabbit_api import RabbitApi
from orchestrator.home import Home

_OLDEST = (3, 8)  # the first whose full queues refuse letters and say so
_GUEST = "guest"


def inspect_rabbit(home: Home) -> Sequence[Finding]:
    """Look at everything but the users' rights. Raises BrokerError."""
    return list(_findings(RabbitApi(home.broker_admin, home.broker_files), home))


def _findings(api: RabbitApi, home: Home) -> Iterator[Finding]:
    yield _version(api)
    yield _vhost(home)
    yield _guest(api)
    yield _alarms(api)
    yield identity(home.broker)
    for name, url in (("broker", home.broker), ("broker_admin", home.broker_admin)):
        yield transport(name, url)


def _version(api: RabbitApi) -> Finding:
    told = str(api.get("overview")["rabbitmq_version"])
    version = tuple(int(part) for part in told.split(".")[:2])
    old = "" if version >= _OLDEST else "RabbitMQ must be 3.8 or later"
    return Finding("version", told, old)


def _vhost(home: Home) -> Finding:
    vhost = vhost_in(home.broker)
    remedy = "the server may reach queues of others: broker: amqps://…/denrei"
    return Finding("virtual host", vhost, remedy if vhost == "/" else "")


def _guest(api: RabbitApi) -> Finding:
    names = {user["name"] for user in api.get("users")}
    remedy = "everybody knows its password: rabbitmqctl delete_user guest"
    found = (_GUEST, "there", remedy) if _GUEST in names else (_GUEST, "gone", "")
    return Finding(*found)


def _alarms(api: RabbitApi) -> Finding:
    alarmed = [
        f"{node['name']} has too little {what}"
        for node in api.get("nodes")
        for what, alarm in (("memory", "mem_alarm"), ("disk", "disk_free_alarm"))
        if node.get(alarm)
    ]
    remedy = "it takes no letters until there is more" if alarmed else ""
    return Finding("alarms", ", ".join(alarmed) or "none", remedy)
