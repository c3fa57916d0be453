# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which plugins are tasks, and how the server is told of them."""

# First: it sets Django up.
from support import FITS, setUpModule, sleep, tearDownModule  # noqa: F401, I100

import os
import signal

from debusine.tasks import BaseTask, TaskConfigError
from debusine.tasks.models import TaskTypes
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import RequestFactory, TestCase, override_settings

from taskbay_debusine.middleware import PagesMiddleware
from taskbay_debusine.models import KnownTask, Verdict
from taskbay_debusine.plugin_task import PluginTask
from taskbay_debusine.registry import Registry, registry
from taskbay_debusine.settings import Settings


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

    def test_a_fork_waits_for_no_thread_that_it_has_not(self):
        """One that asks plugins while another thread forks."""
        with registry._lock:
            forked = os.fork()
            if forked == 0:
                signal.alarm(20)
                free = registry._lock.acquire(timeout=1)
                os._exit(0 if free else 1)
            _, status = os.waitpid(forked, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)

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
