# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""
When the plugins are looked at again.

Before whatever may ask for a task by its name: a request over HTTP, a Celery task, which
the scheduler is, and a worker that changes, which is scheduled for at once.
"""

from typing import Any

from celery.signals import task_prerun
from django.core.signals import request_started
from django.db.models.signals import pre_save

from taskbay_debusine.registry import registry


def connect() -> None:
    """Look from now on."""
    from debusine.db.models import Worker

    request_started.connect(_before_request, dispatch_uid="taskbay")
    task_prerun.connect(_before_task, dispatch_uid="taskbay")
    pre_save.connect(_before_worker, sender=Worker, dispatch_uid="taskbay")


def _before_request(**kwargs: Any) -> None:
    # A page waits for no plugin that another request asks.
    registry.refresh(wait=False)
    registry.remember()
    registry.catch_up()


def _before_task(**kwargs: Any) -> None:
    registry.refresh()
    registry.remember()
    registry.catch_up()


def _before_worker(**kwargs: Any) -> None:
    registry.refresh(wait=False)
    registry.catch_up()
