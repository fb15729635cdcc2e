"""A message as kombu's Redis transport puts it into a list, without kombu."""

import base64
import json
import uuid
from typing import Any


def travelling(task: str, text: str, queue: str) -> dict[str, Any]:
    """Return what travels: Celery's headers, and the one text."""
    body = json.dumps([[text], {}, {"callbacks": None, "errbacks": None, "chain": None}])
    return {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": task, "id": str(uuid.uuid4())},
        "properties": {
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }
