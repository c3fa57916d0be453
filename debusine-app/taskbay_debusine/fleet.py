# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's workers, as plugins are asked about them."""

from typing import Any

from debusine.db.models import Worker
from debusine.tasks.models import WorkerType


def fleet() -> list[tuple[Worker, dict[str, Any]]]:
    """Return each external worker, with what decides whether it gets a request."""
    workers = Worker.objects.filter(worker_type=WorkerType.EXTERNAL)
    workers = workers.select_related("token").order_by("name")
    return [(worker, _asked(worker)) for worker in workers]


def _asked(worker: Worker) -> dict[str, Any]:
    metadata = worker.metadata()
    return {
        "name": worker.name,
        "metadata": metadata,
        "busy": worker.is_busy(),
        "allow": _names(metadata.get("tasks_allowlist")),
        "deny": _names(metadata.get("tasks_denylist")) or [],
        "away": _away(worker),
    }


def _names(listed: Any) -> list[str] | None:
    """Return the names in a list that somebody has written, whatever else it is."""
    if not isinstance(listed, list):
        return None
    return [name for name in listed if isinstance(name, str)]


def _away(worker: Worker) -> str | None:
    if worker.token is None or not worker.token.enabled:
        return "its token is not enabled"
    if not worker.connected():
        return "it is not connected"
    return None
