# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""
What plugins say, asked through the module `taskbay`.

None of their code runs in this process. Whatever happens to the one that it runs in is
`Unavailable` here, which says nothing about a task or a worker.
"""

import json
import logging
import time
from functools import cache
from typing import Any

from taskbay_debusine.settings import Settings

logger = logging.getLogger("debusine.taskbay")

#: How often the same trouble is logged, in seconds.
LOG_EVERY = 60.0

NOBODY = "Taskbay's plugins cannot be asked"

_logged: dict[str, float] = {}


class Pause:
    """
    How long plugins are not asked after they could not be.

    Whoever waits for a helper that hangs may hold up all others who ask, and the scheduler.
    """

    SHORTEST = 5.0
    LONGEST = 60.0

    def __init__(self) -> None:
        """Ask at once."""
        self._length = 0.0
        self._until = 0.0

    def lasts(self) -> bool:
        """Return whether nobody is to ask now."""
        return time.monotonic() < self._until

    def begins(self) -> None:
        """Ask nobody for a while, each time for longer."""
        longer = max(self.SHORTEST, 2 * self._length)
        self._length = min(longer, self.LONGEST)
        self._until = time.monotonic() + self._length

    def is_over(self) -> None:
        """Ask at once."""
        self._length = self._until = 0.0


pause = Pause()


class Unavailable(Exception):
    """Nobody can say now what a plugin would."""


class Invalid(Exception):
    """The plugin says that the task data is invalid."""


@cache
def _matcher() -> Any:
    import taskbay

    settings = Settings.read()
    return taskbay.Matcher(
        program=settings.program,
        plugin_dirs=list(settings.plugin_dirs),
        plugin_timeout=settings.plugin_timeout,
        limit=settings.limit,
        cache=settings.cache,
    )


def complain(what: str, trouble: Exception) -> None:
    """Log trouble, and the same not again for a while: a server asks often."""
    now = time.monotonic()
    if now - _logged.get(what, -LOG_EVERY) >= LOG_EVERY:
        _logged[what] = now
        logger.error("%s: %s", what, trouble)


def _ask(method: str, *args: Any, **kwargs: Any) -> Any:
    try:
        import taskbay
    except ImportError as exc:
        complain(NOBODY, exc)
        raise Unavailable(f"the module taskbay is not there: {exc}") from exc
    if pause.lasts():
        raise Unavailable("a moment ago no plugin could be asked; the log says why")
    try:
        answer = getattr(_matcher(), method)(*args, **kwargs)
    except taskbay.InvalidData as exc:
        raise Invalid(str(exc)) from exc
    except (taskbay.Error, ValueError) as exc:
        if isinstance(exc, taskbay.NotAsked):
            complain(NOBODY, exc)
            # Others are answered, or know themselves that they are not.
            if not isinstance(exc, taskbay.Busy):
                pause.begins()
        raise Unavailable(str(exc)) from exc
    pause.is_over()
    return answer


def tasks(known: int | None, wait: bool) -> dict[str, Any] | None:
    """Return the plugin files, unless they are as known or somebody else is asking."""
    answer = _ask("tasks", known, wait=wait)
    return answer if answer and "tasks" in answer else None


def configure(task: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return what a task makes of its data: its version, and a label."""
    return _ask("configure", task, json.dumps(data))


def reasons(
    task: str, data: dict[str, Any], metadata: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return why a worker may not execute a task; nothing for yes."""
    return _ask("can_run_on", task, json.dumps(data), json.dumps(metadata))


def explain(
    task: str, data: dict[str, Any], workers: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return who could execute a task, who could not, and why not."""
    return _ask("explain", task, json.dumps(data), json.dumps(workers))
