# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdicts that were given, in the database, where an operator finds them."""

import hashlib
import json
import time
from collections import OrderedDict
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from taskbay_debusine import asking

#: How many are kept: beyond, new ones are only logged.
MOST_KEPT = 100_000
#: How many a process remembers to be kept; it reads of others whether they are.
MOST_REMEMBERED = 50_000
#: How long one is kept that was not given again.
KEPT_FOR = timedelta(days=30)
#: The same where there is no room for more.
KEPT_WHEN_FULL = timedelta(days=2)
#: When one that is given again is written again, so that it stays.
AGAIN_AFTER = timedelta(days=1)
#: How often what is old goes, and where there is no room, in seconds.
TIDY_EVERY = 24 * 3600.0
TIDY_WHEN_FULL_EVERY = 600.0

Reasons = list[dict[str, Any]]
#: The task, and the digests of its data and of the worker's metadata.
Key = tuple[str, str, str]


def digest(document: Any) -> str:
    """Return what stands for a document: who suits is decided by these alone."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def storable(reasons: Reasons) -> Reasons:
    """Return reasons without what PostgreSQL has no place for, which a plugin may say."""
    return json.loads(json.dumps(reasons).replace("\\u0000", "\\ufffd"))


class Kept:
    """
    The verdicts that were given, in the database.

    The scheduler asks about the same request and worker each time it runs. So what was
    said before is not written again, whether or not this process remembers it, and how
    much there is has a bound.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        #: What was said last, and until when that is enough, by the digest of the key.
        self._said: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
        self._tidied: float | None = None
        #: How many more may be written until they are counted again.
        self._room = 0

    def keep(self, key: Key, reasons: Reasons) -> bool:
        """
        Write down why not; a yes needs none, and takes back what stood there.

        Return whether it is news, which somebody is to be told.
        """
        short = hashlib.sha256("\0".join(key).encode()).digest()[:16]
        said = _short(reasons)
        last, until = self._said.get(short, (None, 0.0))
        if last == said and time.monotonic() < until:
            self._said.move_to_end(short)
            return False
        try:
            # A savepoint: the scheduler's transaction goes on whatever becomes of this.
            with transaction.atomic():
                is_written, before = self._write(key, reasons)
        except DatabaseError as exc:
            asking.complain("reasons are not written down", exc)
            is_written, before = False, None
        if is_written:
            # What is rolled back is to be written again.
            transaction.on_commit(
                lambda: self._remember(short, said, AGAIN_AFTER.total_seconds())
            )
        elif last is None and len(self._said) >= MOST_REMEMBERED:
            # Nobody would know the next time that it was told.
            return False
        else:
            self._remember(short, said, TIDY_WHEN_FULL_EVERY)
        return bool(reasons) and said != (last if before is None else before)

    def _remember(self, short: bytes, said: bytes, seconds: float) -> None:
        self._said[short] = (said, time.monotonic() + seconds)
        self._said.move_to_end(short)
        if len(self._said) > MOST_REMEMBERED:
            self._said.popitem(last=False)

    def _write(self, key: Key, reasons: Reasons) -> tuple[bool, bytes | None]:
        """Return whether it stands there now, and what stood there before."""
        from taskbay_debusine.models import Verdict

        now = timezone.now()
        self._tidy_if_due()
        task, data, metadata = key
        which = {"task_name": task, "data": data, "metadata": metadata}
        row = Verdict.objects.filter(**which).first()
        before = None if row is None else _short(row.reasons)
        if not reasons:
            if row is not None:
                row.delete()
        elif row is None:
            if self._room <= 0:
                return False, None
            self._room -= 1
            _put(Verdict(**which, reasons=reasons, judged_at=now))
        elif before != _short(reasons) or now - row.judged_at >= AGAIN_AFTER:
            _put(Verdict(**which, reasons=reasons, judged_at=now))
        return True, before

    def _tidy_if_due(self) -> None:
        """Delete what is old; where there is no room, what is a little old, too."""
        from taskbay_debusine.models import Verdict

        every = TIDY_EVERY if self._room > 0 else TIDY_WHEN_FULL_EVERY
        if self._tidied is not None and time.monotonic() - self._tidied < every:
            return
        self._tidied = time.monotonic()
        for kept_for in (KEPT_FOR, KEPT_WHEN_FULL):
            too_old = timezone.now() - kept_for
            Verdict.objects.filter(judged_at__lt=too_old).delete()
            self._room = MOST_KEPT - Verdict.objects.count()
            if self._room > 0:
                return
        asking.complain(
            "new reasons are logged only",
            RuntimeError(f"{MOST_KEPT} are kept, and all of the last days"),
        )


def _short(reasons: Reasons) -> bytes:
    return bytes.fromhex(digest(reasons))[:16] if reasons else b""


def _put(verdict: Any) -> None:
    """Write it in the place of what another process may just have written."""
    type(verdict).objects.bulk_create(
        [verdict],
        update_conflicts=True,
        unique_fields=["task_name", "data", "metadata"],
        update_fields=["reasons", "judged_at"],
    )


kept = Kept()
