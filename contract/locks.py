"""Which resources a runbook says that it works on: `lock` is one name, or a list of them."""

from contract.document import Node
from contract.reading import Reader

MAX_LOCKS = 20


def read_locks(reader: Reader, top: dict[str, Node]) -> list[str]:
    """Return the resources that a runbook works on; none if it does not say."""
    node = top.get("lock")
    if node is None:
        return []
    is_list = isinstance(node.value, list)
    names = reader.texts(top, "lock") if is_list else [reader.text(top, "lock")]
    if len(names) > MAX_LOCKS:
        reader.complain(node.at, f"lock names at most {MAX_LOCKS} resources")
    if isinstance(node.value, str | list) and not all(name.strip() for name in names):
        reader.complain(node.at, "a lock names a resource, such as service:nginx")
    return names
