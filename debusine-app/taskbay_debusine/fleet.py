# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's workers, as plugins are asked about them."""

import time
from typing import Any

from debusine.db.models import Worker
from debusine.tasks.models import WorkerType

from taskbay_debusine.kept import digest


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


class Alike:
    """The workers by what they are like, for a scheduler that asks about many requests."""

    #: How long a worker may have been like something else, in seconds.
    LATE = 5.0

    def __init__(self) -> None:
        """Know none yet."""
        self._names: dict[str, list[str]] = {}
        self._until = 0.0

    def names(self, metadata: str) -> list[str]:
        """Return the names of the workers whose metadata has that digest."""
        if metadata not in self._names or time.monotonic() >= self._until:
            self._names = {}
            for worker in Worker.objects.order_by("name"):
                like = digest(worker.metadata())
                self._names.setdefault(like, []).append(worker.name)
            self._until = time.monotonic() + self.LATE
        return self._names.get(metadata, [])


alike = Alike()
