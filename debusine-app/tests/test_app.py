# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""
The app in a real Debusine, with its database, the real command and real plugins.

It is run where the server is, with the server's settings, whose `TASKBAY` names a
directory with the plugins `noop`, `sleep` and one of the hostile kit that crashes when it
judges; TASKBAY_TEST_CRASHING is the name of that one's task. Nothing that it writes to the
database stays.
"""

import logging
import os
import time
import unittest
from datetime import timedelta
from unittest import mock

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "debusine.project.settings")
django.setup()

import taskbay  # noqa: E402
from debusine.db.context import context  # noqa: E402
from debusine.db.models import (  # noqa: E402
    Token,
    User,
    Worker,
    WorkRequest,
    default_workspace,
)
from debusine.tasks import BaseTask, TaskConfigError  # noqa: E402
from debusine.tasks.models import TaskTypes  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import RequestFactory, TestCase, override_settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from taskbay_debusine import asking, judging  # noqa: E402
from taskbay_debusine.middleware import PagesMiddleware  # noqa: E402
from taskbay_debusine.models import Absence, KnownTask, Verdict  # noqa: E402
from taskbay_debusine.plugin_task import PluginTask  # noqa: E402
from taskbay_debusine.reaper import reap  # noqa: E402
from taskbay_debusine.registry import Registry, registry  # noqa: E402
from taskbay_debusine.settings import Settings  # noqa: E402

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


class Registered(TestCase):
    """Which plugins are tasks."""

    def test_a_plugin_is_a_task(self):
        """One whose name Debusine does not have."""
        cls = BaseTask.class_from_name(TaskTypes.WORKER, "sleep")
        self.assertTrue(issubclass(cls, PluginTask))
        self.assertEqual((cls.name, cls.TASK_VERSION), ("sleep", 1))
        self.assertNotIn("plugintask", BaseTask.task_names(TaskTypes.WORKER))

    def test_a_name_that_debusine_has_is_skipped(self):
        """The server's own task stays."""
        self.assertIn("noop", registry.skipped)
        self.assertFalse(registry.has("noop"))
        cls = BaseTask.class_from_name(TaskTypes.WORKER, "noop")
        self.assertEqual(cls.__module__, "debusine.tasks.noop")

    def test_what_another_process_has_registered_is_a_task(self):
        """Without its plugin it suits nobody, and nothing is raised for it."""
        KnownTask.objects.create(name="of-another-process")
        registry.catch_up()
        cls = BaseTask.class_from_name(TaskTypes.WORKER, "of-another-process")
        self.assertFalse(cls({"any": "data"}).can_run_on(FITS))
        reasons = Verdict.objects.get(task_name="of-another-process").reasons
        self.assertEqual(reasons[0]["code"], "task-missing")

    def test_a_process_that_starts_knows_what_was_there(self):
        """Though there is no plugin for it any more."""
        started = Registry()
        started.start()
        # Another test's registry may have made it a task before.
        name = "known-from-before"
        self.assertTrue(started.has(name) or name in started.skipped)

    def test_the_servers_own_processes_offer_no_plugin(self):
        """They execute none."""
        self.assertNotIn("sleep:version", BaseTask.analyze_worker_all_tasks())


class Configured(TestCase):
    """What the server does with task data."""

    def test_invalid_data_is_told_with_its_place(self):
        """As Debusine tells of its own tasks' data."""
        with self.assertRaisesRegex(TaskConfigError, "/seconds: -1 is less than"):
            sleep({"seconds": -1})

    def test_valid_data_stays_as_it_is(self):
        """What a worker gets is what the user wrote."""
        task = sleep({"seconds": 1})
        self.assertEqual(task.data.dict(exclude_unset=True), {"seconds": 1})
        self.assertIsNone(task.data.task_configuration)
        self.assertEqual(task.get_label(), "sleep for 1 s")
        self.assertEqual(task.get_source_artifacts_ids(), [])

    def test_a_key_that_hides_a_method_is_refused(self):
        """Debusine calls it later."""
        with self.assertRaisesRegex(TaskConfigError, "'json'"):
            sleep({"seconds": 1, "json": 1})


class Judged(TestCase):
    """Whom the scheduler is told to take."""

    def setUp(self):
        """Remember nothing of others."""
        judging._kept = judging.Kept()
        Verdict.objects.all().delete()

    def test_the_plugin_decides(self):
        """The reasons are kept, and a yes takes them back."""
        task = sleep()
        self.assertTrue(task.can_run_on(FITS))
        self.assertFalse(task.can_run_on({**FITS, "sleep:version": 2}))
        verdict = Verdict.objects.get(task_name="sleep")
        self.assertEqual(verdict.reasons[0]["code"], "version-mismatch")
        self.assertEqual(verdict.data, judging.digest({"seconds": 1}))
        key = (verdict.task_name, verdict.data, verdict.metadata)
        judging._kept._write(key, [])
        self.assertFalse(Verdict.objects.exists())

    def test_what_was_said_is_not_written_again(self):
        """A scheduler asks again and again."""
        task = sleep()
        with self.captureOnCommitCallbacks(execute=True):
            task.can_run_on({})
            task.can_run_on(FITS)
        with self.assertNumQueries(0):
            self.assertFalse(task.can_run_on({}))
            self.assertTrue(task.can_run_on(FITS))

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

    def test_what_is_old_goes(self):
        """Thirty days after it was said last."""
        then = timezone.now() - timedelta(days=31)
        Verdict.objects.create(
            task_name="old", data="d", metadata="m", reasons=[], judged_at=then
        )
        sleep().can_run_on({})
        self.assertFalse(Verdict.objects.filter(task_name="old").exists())

    def test_a_digest_is_of_what_is_said(self):
        """Not of how it is written."""
        self.assertEqual(judging.digest({"a": 1, "b": 2}), judging.digest({"b": 2, "a": 1}))
        self.assertNotEqual(judging.digest({"a": 1}), judging.digest({"a": "1"}))


class Reaped(TestCase):
    """Requests of workers that are gone."""

    def setUp(self):
        """Make a worker that was here an hour ago."""
        Absence.objects.all().delete()
        self.long_ago = timezone.now() - timedelta(hours=1)
        token = Token.objects.create(enabled=True, last_seen_at=self.long_ago)
        self.worker = Worker.objects.create_with_fqdn("gone.example", token=token)

    def request(self, status, **more):
        """Make a request that the worker has."""
        with context.disable_permission_checks():
            return WorkRequest.objects.create(
                workspace=default_workspace(),
                created_by=User.objects.get(username="test"),
                task_name="sleep",
                task_data={"seconds": 1},
                worker=self.worker,
                status=status,
                **more,
            )

    def reaped(self, seconds, gone_since=None):
        """Reap, with an absence that was seen then."""
        if gone_since is not None:
            now = timezone.now()
            Absence.objects.create(worker=self.worker, since=gone_since, seen=now)
        return reap(timedelta(seconds=seconds), surely=True)

    def test_what_ran_is_tried_again(self):
        """Under a number of its own, as when the worker was restarted."""
        request = self.request(WorkRequest.Statuses.RUNNING)
        self.assertEqual(self.reaped(600, self.long_ago), [request.id])
        request.refresh_from_db()
        self.assertEqual(request.status, WorkRequest.Statuses.ABORTED)
        again = WorkRequest.objects.get(supersedes=request)
        self.assertEqual(again.status, WorkRequest.Statuses.PENDING)
        self.assertIsNone(again.worker)
        self.assertEqual(again.workflow_data.retry_count, 1)
        self.assertFalse(request.mark_completed(WorkRequest.Results.SUCCESS))

    def test_what_was_only_given_waits_again(self):
        """Under its number."""
        request = self.request(WorkRequest.Statuses.PENDING)
        self.assertEqual(self.reaped(600, self.long_ago), [request.id])
        request.refresh_from_db()
        self.assertEqual((request.status, request.worker), ("pending", None))

    def test_one_that_kills_its_workers_is_tried_no_more(self):
        """After as many times as the server itself tries it."""
        request = self.request(
            WorkRequest.Statuses.RUNNING, workflow_data_json={"retry_count": 3}
        )
        self.assertEqual(self.reaped(600, self.long_ago), [request.id])
        self.assertFalse(WorkRequest.objects.filter(supersedes=request).exists())

    def test_the_absence_begins_when_it_is_seen(self):
        """However long nothing was heard of the worker before: it had no need to speak."""
        request = self.request(WorkRequest.Statuses.RUNNING)
        self.assertEqual(self.reaped(600), [])
        for seconds, taken in [(250, []), (500, []), (601, [request.id])]:
            later = timezone.now() + timedelta(seconds=seconds)
            gone_for = timedelta(seconds=600)
            self.assertEqual(reap(gone_for, later, surely=True), taken)

    def test_an_absence_that_nobody_saw_begins_anew(self):
        """The worker may have been here while the reaper was not."""
        self.request(WorkRequest.Statuses.RUNNING)
        Absence.objects.create(
            worker=self.worker, since=self.long_ago, seen=self.long_ago
        )
        self.assertEqual(reap(timedelta(seconds=600), surely=True), [])

    def test_less_than_a_worker_may_be_silent_is_refused(self):
        """The server takes some workers for gone that are there."""
        with self.assertRaisesRegex(ValueError, "3900 s the least"):
            reap(timedelta(seconds=900))

    def test_one_that_cannot_be_taken_holds_up_no_other(self):
        """It is logged."""
        first = self.request(WorkRequest.Statuses.RUNNING)
        second = self.request(WorkRequest.Statuses.PENDING)
        with mock.patch.object(WorkRequest, "retry", side_effect=RuntimeError):
            self.assertEqual(self.reaped(600, self.long_ago), [second.id])
        first.refresh_from_db()
        self.assertEqual(first.status, WorkRequest.Statuses.RUNNING)

    def test_a_worker_that_was_back_meanwhile_is_not_gone_for_long(self):
        """Its token tells."""
        self.request(WorkRequest.Statuses.RUNNING)
        self.worker.token.last_seen_at = timezone.now() - timedelta(seconds=60)
        self.worker.token.save()
        self.assertEqual(self.reaped(600, self.long_ago), [])

    def test_a_worker_that_is_here_keeps_what_it_has(self):
        """And its absence is forgotten."""
        self.request(WorkRequest.Statuses.RUNNING)
        Worker.objects.filter(pk=self.worker.pk).update(connected_at=timezone.now())
        self.assertEqual(self.reaped(0, self.long_ago), [])
        self.assertFalse(Absence.objects.exists())


class Set(TestCase):
    """The settings, and the way to the pages."""

    def test_an_unknown_setting_is_said(self):
        """It would do nothing."""
        with override_settings(TASKBAY={"plugin_dir": "/srv"}):
            with self.assertRaisesRegex(ImproperlyConfigured, "no plugin_dir"):
                Settings.read()

    def test_only_the_apps_paths_are_the_apps(self):
        """The scope's URLs stay for all others."""
        made = PagesMiddleware(lambda request: HttpResponse(getattr(request, "urlconf", "")))
        for path, urls in [
            ("/api/taskbay/1.0/tasks/", b"taskbay_debusine.urls"),
            ("/api/1.0/work-request/", b""),
            ("/debusine/System/", b""),
        ]:
            self.assertEqual(made(RequestFactory().get(path)).content, urls)


if __name__ == "__main__":
    unittest.main(verbosity=2)
