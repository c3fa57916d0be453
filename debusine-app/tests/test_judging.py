# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the scheduler is told to take."""

# First: it sets Django up.
from support import (  # noqa: F401, I100
    CRASHING,
    FITS,
    forget_reasons,
    setUpModule,
    sleep,
    tearDownModule,
)

from unittest import mock

import taskbay
from debusine.tasks import BaseTask
from debusine.tasks.models import TaskTypes
from django.test import TestCase

from taskbay_debusine import asking, judging
from taskbay_debusine.models import Verdict
from taskbay_debusine.registry import registry


class Judged(TestCase):
    """Whom the scheduler is told to take."""

    def setUp(self):
        """Remember nothing of others."""
        forget_reasons(self)

    def test_the_plugin_decides(self):
        """The reasons are kept, and a yes takes them back."""
        task = sleep()
        self.assertTrue(task.can_run_on(FITS))
        self.assertFalse(task.can_run_on({**FITS, "sleep:version": 2}))
        verdict = Verdict.objects.get(task_name="sleep")
        self.assertEqual(verdict.reasons[0]["code"], "version-mismatch")
        self.assertEqual(verdict.data, judging.digest({"seconds": 1}))
        key = (verdict.task_name, verdict.data, verdict.metadata)
        judging.kept.keep(key, [])
        self.assertFalse(Verdict.objects.exists())

    def test_a_celery_worker_executes_no_plugin(self):
        """Whatever it says of itself."""
        self.assertFalse(sleep().can_run_on({**FITS, "system:worker_type": "celery"}))

    def test_a_plugin_that_crashes_costs_a_no(self):
        """And no other task its answer."""
        cls = BaseTask.class_from_name(TaskTypes.WORKER, CRASHING)
        worker = {**FITS, f"{CRASHING}:version": 1}
        for _ in range(4):
            self.assertFalse(cls({}).can_run_on(worker))
            self.assertTrue(sleep().can_run_on(worker))
        reasons = Verdict.objects.get(task_name=CRASHING).reasons
        self.assertEqual(reasons[0]["code"], "plugin-failed")

    def test_without_the_command_requests_wait(self):
        """Nothing is raised: the scheduler would fail as a whole."""
        lost = taskbay.Matcher(program="/no/taskbay")
        self.addCleanup(asking.pause.is_over)
        with mock.patch.object(asking, "_matcher", lambda: lost):
            with self.assertRaisesRegex(asking.Unavailable, "cannot be started"):
                asking.configure("sleep", {})
            task = sleep({"seconds": -1})
            self.assertFalse(task.can_run_on(FITS))
            registry.refresh()
        self.assertEqual(task.get_label(), "sleep")
        reasons = Verdict.objects.get(task_name="sleep").reasons
        self.assertEqual(reasons[0]["code"], "plugin-failed")

    def test_who_cannot_be_asked_is_not_asked_for_a_while(self):
        """Each question to a helper that hangs would hold up the scheduler."""
        self.addCleanup(asking.pause.is_over)
        asking.pause.begins()
        with mock.patch.object(asking, "_matcher", side_effect=AssertionError):
            self.assertFalse(sleep().can_run_on(FITS))
        asking.pause.is_over()
        self.assertTrue(sleep().can_run_on(FITS))

    def test_that_others_ask_stops_nobody(self):
        """They are answered, only not all in time."""
        self.addCleanup(asking.pause.is_over)
        late = mock.Mock()
        late.can_run_on.side_effect = taskbay.Busy("others were asking")
        task = sleep()
        with mock.patch.object(asking, "_matcher", return_value=late):
            self.assertFalse(task.can_run_on(FITS))
        self.assertTrue(task.can_run_on(FITS))
