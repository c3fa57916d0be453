# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reasons that are kept, and how many."""

# First: it sets Django up.
from support import (  # noqa: F401, I100
    FITS,
    forget_reasons,
    setUpModule,
    sleep,
    tearDownModule,
)

from datetime import timedelta
from unittest import mock

from debusine.db.models import Token, Worker
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from taskbay_debusine import asking, judging, kept
from taskbay_debusine.models import Verdict


class Noted(TestCase):
    """What is written down of that, and how much."""

    def setUp(self):
        """Remember nothing of others."""
        forget_reasons(self)

    def judge(self, numbers):
        """Ask about as many workers, and one that suits, in a transaction of the scheduler."""
        with self.captureOnCommitCallbacks(execute=True):
            with CaptureQueriesContext(connection) as asked:
                for number in numbers:
                    self.assertFalse(sleep().can_run_on({"number": number}))
                self.assertTrue(sleep().can_run_on(FITS))
        words = [query["sql"].split()[0] for query in asked]
        return [word for word in words if word in ("INSERT", "UPDATE", "DELETE")]

    def said(self):
        """Return of how many workers something is kept."""
        return Verdict.objects.filter(task_name="sleep").count()

    def test_what_was_said_is_not_written_again(self):
        """A scheduler asks again and again."""
        self.judge(range(2))
        with self.assertNumQueries(0):
            self.assertFalse(sleep().can_run_on({"number": 1}))
            self.assertTrue(sleep().can_run_on(FITS))

    def test_nor_is_what_nobody_remembers(self):
        """There may be more than a process remembers, or it was another one."""
        with mock.patch.object(kept, "MOST_REMEMBERED", 3):
            self.assertEqual(self.judge(range(10)).count("INSERT"), 10)
            with self.assertNoLogs("debusine.taskbay"):
                self.assertEqual(self.judge(range(10)), [])
            self.assertEqual(len(judging.kept._said), 3)
        forget_reasons(self, also_rows=False)
        self.assertEqual(self.judge(range(10)).count("INSERT"), 0)
        self.assertEqual(self.said(), 10)

    def test_what_was_said_long_ago_is_written_again(self):
        """So that it stays."""
        self.judge(range(2))
        then = timezone.now() - timedelta(days=29)
        Verdict.objects.update(judged_at=then)
        forget_reasons(self, also_rows=False)
        self.judge(range(1))
        self.assertEqual(Verdict.objects.filter(judged_at=then).count(), 1)
        self.assertEqual(self.said(), 2)

    def test_there_is_no_more_of_it_than_there_may_be(self):
        """What is still said stays, and costs no writing; what is not goes first."""
        with mock.patch.object(kept, "MOST_KEPT", 4):
            self.judge(range(10))
            self.assertEqual((self.said(), self.judge(range(10))), (4, []))
            with self.assertNoLogs("debusine.taskbay"):
                self.judge(range(10))
            old = Verdict.objects.order_by("pk")[:2].values("pk")
            then = timezone.now() - timedelta(days=3)
            Verdict.objects.filter(pk__in=old).update(judged_at=then)
            with mock.patch.object(kept, "TIDY_WHEN_FULL_EVERY", 0.0):
                self.judge(range(10, 13))
            self.assertEqual(self.said(), 4)
            self.assertFalse(Verdict.objects.filter(judged_at=then).exists())

    def test_what_is_old_goes(self):
        """Thirty days after it was said last."""
        then = timezone.now() - timedelta(days=31)
        Verdict.objects.create(
            task_name="old", data="d", metadata="m", reasons=[], judged_at=then
        )
        sleep().can_run_on({})
        self.assertFalse(Verdict.objects.filter(task_name="old").exists())

    def test_a_reason_that_postgresql_has_no_place_for_is_kept(self):
        """A plugin says what it likes."""
        reasons = [{"code": "refused", "message": "no\0 \\u0000"}]
        with mock.patch.object(asking, "reasons", return_value=reasons):
            self.assertFalse(sleep().can_run_on({}))
        self.assertIn("no\ufffd", Verdict.objects.get().reasons[0]["message"])

    def test_it_is_logged_of_whom(self):
        """Of each worker that is like that, once."""
        token = Token.objects.create(enabled=True)
        worker = Worker.objects.create_with_fqdn("lacking.example", token=token)
        with self.assertLogs("debusine.taskbay", "INFO") as logged:
            sleep().can_run_on(worker.metadata())
            sleep().can_run_on({"number": 1})
            sleep().can_run_on(worker.metadata())
        told = [line.split("run on ")[1].split(":")[0] for line in logged.output]
        self.assertEqual(told, ["lacking-example", "a worker that has changed since"])

    def test_a_digest_is_of_what_is_said(self):
        """Not of how it is written."""
        self.assertEqual(kept.digest({"a": 1, "b": 2}), kept.digest({"b": 2, "a": 1}))
        self.assertNotEqual(kept.digest({"a": 1}), kept.digest({"a": "1"}))
