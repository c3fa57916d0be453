# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which plugins are tasks of this server, kept up to date while it runs."""

import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from debusine.tasks import BaseTask
from debusine.tasks.models import TaskTypes
from django.db import DatabaseError, connection, transaction

from taskbay_debusine import asking
from taskbay_debusine.plugin_task import PluginTask, make

logger = logging.getLogger("debusine.taskbay")

#: Types whose names the server keeps apart from each other's.
CLASHING = (TaskTypes.WORKER, TaskTypes.SERVER)
#: How much later than another process this one may see that a plugin is there, in seconds.
LATER = 1.5


class Registry:
    """
    The plugins that are tasks of this process.

    A task stays one when its plugin goes, and is one again in the next process: the
    server's scheduler fails as a whole on a request whose task it does not know. Without
    its plugin it suits no worker.
    """

    def __init__(self) -> None:
        """Know no plugin yet."""
        self._lock = threading.Lock()
        self._generation: int | None = None
        self._classes: dict[str, type[PluginTask]] = {}
        self._to_remember: set[str] = set()
        #: The names that the server has itself.
        self.skipped: set[str] = set()
        # Whoever holds the lock now is not in a process that is forked.
        os.register_at_fork(after_in_child=self._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def start(self) -> None:
        """Register what there is, and what there was."""
        self.refresh()
        # The server may be started within an event loop, where there is no database.
        with ThreadPoolExecutor(max_workers=1) as elsewhere:
            self._take_names(elsewhere.submit(_remembered_elsewhere).result())

    def refresh(self, wait: bool = True) -> None:
        """Register what is new. Without `wait`, not while somebody asks plugins."""
        if not self._lock.acquire(blocking=wait):
            return
        try:
            answer = asking.tasks(self._generation, wait)
            if answer is None:
                return
            for row in answer["tasks"]:
                if row["status"] == "ok":
                    self._take(row["name"], row["version"])
            self._generation = answer["generation"]
        except asking.Unavailable:
            # It was logged, and the next one to ask tries again.
            pass
        finally:
            self._lock.release()

    def has(self, name: str) -> bool:
        """Return whether a plugin decides about that task."""
        return name.lower() in self._classes

    def catch_up(self) -> None:
        """
        Register what other processes have registered.

        One of them may have taken a request for a plugin that this one is about to see.
        """
        until = time.monotonic() + LATER
        missing = self._missing(_remembered())
        while missing and time.monotonic() < until:
            time.sleep(0.05)
            self.refresh()
            missing = self._missing(missing)
        self._take_names(missing)

    def remember(self) -> None:
        """Write down the names that are new, for processes that come later."""
        from taskbay_debusine.models import KnownTask

        while self._to_remember:
            name = next(iter(self._to_remember))
            try:
                KnownTask.objects.get_or_create(name=name)
            except DatabaseError as exc:
                asking.complain("plugins are not written down", exc)
                return
            self._to_remember.discard(name)

    def _missing(self, names: set[str]) -> set[str]:
        return names - self._classes.keys() - self.skipped

    def _take_names(self, names: set[str]) -> None:
        with self._lock:
            for name in sorted(self._missing(names)):
                self._take(name, None)

    def _take(self, name: str, version: int | None) -> None:
        known = self._classes.get(name)
        if known is not None:
            if version is not None:
                known.TASK_VERSION = version
            return
        if any(BaseTask.is_valid_task_name(kind, name) for kind in CLASHING):
            if name not in self.skipped:
                self.skipped.add(name)
                logger.info(
                    "the plugin `%s` is skipped: Debusine has a task of that name", name
                )
            return
        self._classes[name] = make(name, version)
        if version is not None:
            self._to_remember.add(name)
            logger.info("the plugin `%s` is a task, in version %d", name, version)


def _remembered() -> set[str]:
    from taskbay_debusine.models import KnownTask

    try:
        # A savepoint, where there is a transaction.
        with transaction.atomic():
            return set(KnownTask.objects.values_list("name", flat=True))
    except DatabaseError as exc:
        # As before the first `debusine-admin migrate`.
        asking.complain("plugins of before are not known", exc)
        return set()


def _remembered_elsewhere() -> set[str]:
    try:
        return _remembered()
    finally:
        connection.close()


registry = Registry()
