# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a worker suits, and why not: logged, and kept where an operator finds it."""

import hashlib
import json
import logging
import time
from collections import OrderedDict
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from taskbay_debusine import asking

logger = logging.getLogger("debusine.taskbay")

#: How many verdicts a process remembers to have kept.
MOST_REMEMBERED = 10_000
#: How long a verdict is kept that was not given again.
KEPT_FOR = timedelta(days=30)
#: How often what is older goes, and what is said again is written again, in seconds.
DAILY = 24 * 3600.0

Reasons = list[dict[str, Any]]
#: The task, and the digests of its data and of the worker's metadata.
Key = tuple[str, str, str]


def digest(document: Any) -> str:
    """Return what stands for a document: who suits is decided by these alone."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def suits(task: str, data: dict[str, Any], metadata: dict[str, Any]) -> bool:
    """Return whether a worker suits. Raises nothing: that it cannot be said is a no."""
    try:
        reasons = asking.reasons(task, data, metadata)
    except Exception as exc:
        if not isinstance(exc, asking.Unavailable):
            logger.exception("asking the plugin `%s` failed", task)
        reasons = [_reason("plugin-failed", str(exc))]
    try:
        _kept.keep(task, data, metadata, reasons)
    except Exception:
        logger.exception("the reasons of the plugin `%s` are not kept", task)
    return not reasons


def _reason(code: str, message: str) -> dict[str, Any]:
    return {
        "code": code,
        "key": None,
        "wanted": None,
        "found": None,
        "message": message,
    }


class Kept:
    """
    The verdicts that were given, in the database.

    The scheduler asks about the same request and worker each time it runs, so what was
    said before is not written again.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._said: OrderedDict[Key, tuple[Reasons, float]] = OrderedDict()
        self._tidied: float | None = None

    def keep(
        self,
        task: str,
        data: dict[str, Any],
        metadata: dict[str, Any],
        reasons: Reasons,
    ) -> None:
        """Write down why not; a yes needs none, and takes back what stood there."""
        key = (task, digest(data), digest(metadata))
        said, when = self._said.get(key, (None, 0.0))
        if said == reasons and time.monotonic() - when < DAILY:
            return
        if reasons and said != reasons:
            _log(task, metadata, reasons)
        try:
            # A savepoint: the scheduler's transaction goes on whatever becomes of this.
            with transaction.atomic():
                self._write(key, reasons)
        except DatabaseError as exc:
            asking.complain("reasons are not written down", exc)
            return
        # What is rolled back is to be written again.
        transaction.on_commit(lambda: self._remember(key, reasons))

    def _remember(self, key: Key, reasons: Reasons) -> None:
        self._said[key] = (reasons, time.monotonic())
        if len(self._said) > MOST_REMEMBERED:
            self._said.popitem(last=False)

    def _write(self, key: Key, reasons: Reasons) -> None:
        from taskbay_debusine.models import Verdict

        task, data, metadata = key
        which = {"task_name": task, "data": data, "metadata": metadata}
        now = timezone.now()
        if reasons:
            Verdict.objects.update_or_create(
                **which, defaults={"reasons": reasons, "judged_at": now}
            )
        else:
            Verdict.objects.filter(**which).delete()
        if self._tidied is None or time.monotonic() - self._tidied > DAILY:
            self._tidied = time.monotonic()
            Verdict.objects.filter(judged_at__lt=now - KEPT_FOR).delete()


_kept = Kept()


def _log(task: str, metadata: dict[str, Any], reasons: Reasons) -> None:
    from debusine.db.models import Worker

    # Once for each metadata: the scheduler says what a worker is like, not which it is.
    alike = [each.name for each in Worker.objects.all() if each.metadata() == metadata]
    logger.info(
        "`%s` does not run on %s: %s",
        task,
        ", ".join(alike) or "a worker that has changed since",
        "; ".join(reason["message"] for reason in reasons),
    )
