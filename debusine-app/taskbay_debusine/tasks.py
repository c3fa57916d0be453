# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""Celery's tasks, which the server's own Celery finds here."""

from datetime import timedelta

from celery import shared_task

from taskbay_debusine.reaper import reap as take_back


@shared_task()
def reap(gone_for: float, surely: bool = False) -> list[int]:
    """Take requests back from workers that were gone for so many seconds."""
    return take_back(timedelta(seconds=gone_for), surely=surely)
