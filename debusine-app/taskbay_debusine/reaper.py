# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""
Takes requests back from workers that are gone.

Debusine 0.11.3 has no lease: a request of a worker that never comes back runs for ever.
"""

import logging
from datetime import datetime, timedelta

from debusine.db.context import context
from debusine.db.models import WorkRequest, Worker
from debusine.db.models.work_requests import CannotRetry, WorkRequestRetryReason
from debusine.tasks.models import WorkerType
from django.db import transaction
from django.utils import timezone

from taskbay_debusine.models import Absence

logger = logging.getLogger("debusine.taskbay")

ACTIVE = (WorkRequest.Statuses.PENDING, WorkRequest.Statuses.RUNNING)

#: A worker that is connected speaks to the server at least every hour, as the server asks
#: it to. That it is not connected the server only thinks where an old connection of it
#: ended after a new one began.
LEAST = timedelta(seconds=3900)


def reap(
    gone_for: timedelta, now: datetime | None = None, *, surely: bool = False
) -> list[int]:
    """
    Take back what workers have that were gone for that long, and return its numbers.

    The server does not note when a worker left, so its absence begins when this first
    sees it, or later where its token was seen since, or nobody looked for long. Less than
    `LEAST` is refused, unless whoever asks knows `surely` that no worker is there that the
    server takes for gone.
    """
    if gone_for < LEAST and not surely:
        raise ValueError(
            f"a worker may be there and say nothing for an hour: {gone_for.total_seconds():g} s "
            f"are too few, {LEAST.total_seconds():g} s the least"
        )
    now = now or timezone.now()
    Absence.objects.exclude(worker__connected_at__isnull=True).delete()
    absent = Worker.objects.filter(
        worker_type=WorkerType.EXTERNAL,
        connected_at__isnull=True,
        assigned_work_requests__status__in=ACTIVE,
    ).distinct()
    taken: list[int] = []
    for worker in absent.select_related("token"):
        since = _absent_since(worker, now, gone_for / 2)
        if now - since >= gone_for:
            try:
                taken.extend(_take_all(worker.pk, since))
            except Exception:
                logger.exception("nothing is taken back from %s", worker.name)
    return taken


def _absent_since(worker: Worker, now: datetime, longest_gap: timedelta) -> datetime:
    absence, _ = Absence.objects.get_or_create(
        worker=worker, defaults={"since": now, "seen": now}
    )
    if now - absence.seen > longest_gap:
        # It may have been here while nobody looked.
        absence.since = now
    absence.seen = now
    absence.save()
    last_seen = worker.token.last_seen_at if worker.token else None
    return max(absence.since, last_seen) if last_seen else absence.since


def _take_all(worker_id: int, since: datetime) -> list[int]:
    with transaction.atomic(), context.disable_permission_checks():
        worker = Worker.objects.select_for_update().get(pk=worker_id)
        if worker.connected():
            return []
        requests = WorkRequest.objects.filter(worker=worker, status__in=ACTIVE)
        taken = []
        for request in requests.select_for_update().order_by("id"):
            try:
                # A savepoint: one that cannot be taken back holds up no other.
                with transaction.atomic():
                    became = _take(request)
            except Exception:
                logger.exception("request %d is not taken back", request.id)
                continue
            taken.append(request.id)
            logger.warning(
                "request %d is taken back from %s, which is gone since %s: %s",
                request.id,
                worker.name,
                since.isoformat(timespec="seconds"),
                became,
            )
        return taken


def _take(request: WorkRequest) -> str:
    """Take a request back as the server does when its worker was restarted."""
    if request.status == WorkRequest.Statuses.PENDING:
        # The worker never had it.
        request.de_assign_worker()
        return "it waits again"
    request.mark_aborted()
    try:
        again = request.retry(reason=WorkRequestRetryReason.WORKER_FAILED)
    except CannotRetry as exc:
        return f"it is aborted, and not tried again: {exc}"
    return f"it is tried again as {again.id}"
