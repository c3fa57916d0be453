# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""
What the tests share, and how they are run.

In a real Debusine, with its database, the real command and real plugins: where the server
is, with the server's settings, whose `TASKBAY` names a directory with the plugins `noop`,
`sleep` and one of the hostile kit that crashes when it judges; TASKBAY_TEST_CRASHING is the
name of that one's task. Nothing that they write to the database stays.

    python3 -m unittest discover FOLDER
"""

import logging
import os
import time
from unittest import mock

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "debusine.project.settings")
django.setup()

from debusine.tasks import BaseTask  # noqa: E402
from debusine.tasks.models import TaskTypes  # noqa: E402

from taskbay_debusine import judging, kept  # noqa: E402
from taskbay_debusine.models import KnownTask, Verdict  # noqa: E402
from taskbay_debusine.registry import registry  # noqa: E402

CRASHING = os.environ["TASKBAY_TEST_CRASHING"]
FITS = {"system:worker_type": "external", "sleep:version": 1}


def setUpModule():
    """Have the plugins that were written a moment ago admitted."""
    logging.getLogger("debusine.taskbay").setLevel(logging.CRITICAL)
    until = time.monotonic() + 30
    while not (registry.has("sleep") and registry.has(CRASHING)):
        assert time.monotonic() < until, "the plugins are no tasks"
        registry.refresh()
        time.sleep(0.1)
    KnownTask.objects.create(name="known-from-before")


def tearDownModule():
    """Leave nothing behind."""
    KnownTask.objects.filter(name="known-from-before").delete()


def sleep(data=None):
    """Make the task of a request to sleep."""
    cls = BaseTask.class_from_name(TaskTypes.WORKER, "Sleep")
    return cls({"seconds": 1} if data is None else data)


def forget_reasons(test, also_rows=True):
    """Have a process that begins, on a server that does or that has what it has."""
    patched = mock.patch.object(judging, "kept", kept.Kept())
    patched.start()
    test.addCleanup(patched.stop)
    if also_rows:
        Verdict.objects.all().delete()
