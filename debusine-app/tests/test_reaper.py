# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests of workers that are gone."""

# First: it sets Django up.
from support import setUpModule, tearDownModule  # noqa: F401, I100

from datetime import timedelta
from unittest import mock

from debusine.db.context import context
from debusine.db.models import Token, User, Worker, WorkRequest, default_workspace
from django.test import TestCase
from django.utils import timezone

from taskbay_debusine.models import Absence
from taskbay_debusine.reaper import reap


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
