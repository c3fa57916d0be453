"""
The module, against the real command and real plugins.

    TASKBAY_TEST_PROGRAM    the command `taskbay`
    TASKBAY_TEST_PLUGINS    a directory with the plugin `sleep`, and one of the hostile kit that crashes when it judges
    TASKBAY_TEST_CRASHING   the name of that one's task
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import taskbay

PROGRAM = os.environ["TASKBAY_TEST_PROGRAM"]
PLUGINS = os.environ["TASKBAY_TEST_PLUGINS"]
CRASHING = os.environ["TASKBAY_TEST_CRASHING"]
DATA = json.dumps({"seconds": 1})
FITS = json.dumps({"sleep:version": 1})


def matcher(**more):
    return taskbay.Matcher(**{"program": PROGRAM, "plugin_dirs": [PLUGINS], **more})


def children(of=None):
    """The helpers that a process has, this one if no other is named, by their numbers."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(of or os.getpid())], capture_output=True, text=True
    )
    lines = [line.split(None, 1) for line in listed.stdout.splitlines()]
    return [int(pid) for pid, command in lines if not command.startswith("ps ")]


def silent(test, does="exec sleep 600"):
    """A command that answers nothing, or does something else."""
    with tempfile.NamedTemporaryFile("w", prefix="taskbay-", suffix=".sh", delete=False) as script:
        script.write(f"#!/bin/sh\n{does}\n")
    test.addCleanup(os.unlink, script.name)
    os.chmod(script.name, 0o755)
    return script.name


class Answers(unittest.TestCase):
    def test_every_question(self):
        asked = matcher()
        tasks = asked.tasks()
        named = {row["name"]: row for row in tasks["tasks"]}
        self.assertEqual((named["sleep"]["version"], named["sleep"]["status"]), (1, "ok"))
        self.assertNotIn("tasks", asked.tasks(tasks["generation"]))
        self.assertIn("seconds", asked.schema("sleep")["schema"]["properties"])
        configured = asked.configure("sleep", DATA)
        self.assertEqual(configured["data"], {"seconds": 1.0, "result": True})
        self.assertEqual(configured["label"], "sleep for 1 s")
        self.assertEqual(asked.can_run_on("sleep", DATA, FITS), [])
        reasons = asked.can_run_on("sleep", DATA, "{}")
        self.assertEqual(reasons[0]["code"], "task-missing")
        workers = [{"name": "a", "metadata": {}}, {"name": "b", "metadata": json.loads(FITS)}]
        explained = asked.explain("sleep", DATA, json.dumps(workers, indent=1))
        self.assertEqual(explained["verdict"], "runnable")
        self.assertEqual(explained["conditions"][0]["failing"], ["a"])
        self.assertEqual(asked.analyze()["sleep:version"], 1)

    def test_what_is_wrong_is_raised(self):
        asked = matcher()
        with self.assertRaises(taskbay.UnknownTask):
            asked.configure("slep", DATA)
        with self.assertRaises(taskbay.InvalidData) as raised:
            asked.configure("sleep", '{"seconds": -1, "loud": 1}')
        self.assertEqual([pointer for pointer, _ in raised.exception.faults], ["/seconds", ""])
        self.assertIn("/seconds: ", str(raised.exception))
        for document in ["", "{", '{"a": NaN}']:
            with self.assertRaises(ValueError):
                asked.can_run_on("sleep", DATA, document)
        # Nor does anything make up a question of its own.
        with self.assertRaises(ValueError):
            asked.configure("sleep", '{}\n{"analyze": {}}')
        for wrong in [0, -1, float("nan")]:
            with self.assertRaises(ValueError):
                matcher(limit=wrong)

    def test_a_number_stays_as_it_is_written(self):
        large = '{"seconds": 1, "result": 123456789012345678901234567890}'
        with self.assertRaises(taskbay.InvalidData) as raised:
            matcher().configure("sleep", large)
        self.assertIn("is not of type", str(raised.exception))


class Faults(unittest.TestCase):
    def test_a_plugin_that_crashes_is_a_reason(self):
        asked = matcher()
        worker = json.dumps({f"{CRASHING}:version": 1})
        for _ in range(4):
            reasons = asked.can_run_on(CRASHING, "{}", worker)
            self.assertEqual(reasons[0]["code"], "plugin-failed")
            self.assertIn("SIGSEGV", reasons[0]["message"])
            self.assertEqual(asked.can_run_on("sleep", DATA, FITS), [])

    def test_no_command_is_said(self):
        with self.assertRaisesRegex(taskbay.NotAsked, "cannot be started"):
            matcher(program="/no/taskbay").tasks()
        with self.assertRaisesRegex(taskbay.NotAsked, "has ended"):
            matcher(program="/bin/false").tasks()
        babbling = silent(self, "read question\necho well\nexec cat >/dev/null")
        with self.assertRaisesRegex(taskbay.NotAsked, "said what is no answer"):
            matcher(program=babbling).tasks()

    def test_a_helper_that_died_is_replaced(self):
        asked = matcher()
        asked.tasks()
        (first,) = children()
        os.kill(first, signal.SIGKILL)
        self.assertEqual(asked.can_run_on("sleep", DATA, FITS), [])
        (second,) = children()
        self.assertNotEqual(first, second)

    def test_a_helper_that_hangs_is_killed(self):
        asked = matcher(limit=1.5)
        asked.tasks()
        (first,) = children()
        os.kill(first, signal.SIGSTOP)
        with self.assertRaisesRegex(taskbay.NotAsked, "no answer within 1.5 s"):
            asked.can_run_on("sleep", DATA, FITS)
        self.assertEqual(children(), [])
        self.assertEqual(asked.can_run_on("sleep", DATA, FITS), [])

    def test_a_helper_that_hangs_at_its_first_question_is_killed(self):
        asked = matcher(program=silent(self), limit=1)
        with self.assertRaises(taskbay.NotAsked) as caught:
            asked.tasks()
        self.assertNotIsInstance(caught.exception, taskbay.Busy)
        self.assertEqual(children(), [])

    def test_it_ends_with_the_matcher(self):
        asked = matcher()
        asked.tasks()
        self.assertEqual(len(children()), 1)
        del asked
        self.assertEqual(children(), [])


class Neighbours(unittest.TestCase):
    def test_threads_ask_one_after_the_other(self):
        asked = matcher()
        asked.tasks()
        failed = []

        def ask():
            for _ in range(50):
                if asked.can_run_on("sleep", DATA, FITS) != []:
                    failed.append(1)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((failed, len(children())), ([], 1))

    def test_who_waits_for_others_waits_no_longer_than_the_limit(self):
        """However many wait before, and each of them for as long."""
        asked = matcher(program=silent(self), limit=1)
        told = []

        def ask():
            try:
                asked.can_run_on("sleep", DATA, FITS)
            except taskbay.NotAsked as error:
                told.append(str(error))

        threads = [threading.Thread(target=ask) for _ in range(30)]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLess(time.monotonic() - begun, 10)
        self.assertEqual(len(told), 30)
        self.assertTrue(all("within 1 s" in each for each in told), told)

    def test_a_helper_is_not_to_blame_for_who_came_late(self):
        """It is slow, and answers each in time; who waited for another has less of it, and costs nobody the helper."""
        asked = matcher(program=silent(self, 'while read q; do sleep 1; echo "{\\"for\\": $q}"; done'), limit=1.5)
        told = []

        def ask(number):
            try:
                told.append(asked.schema(str(number))["for"]["schema"]["task"])
            except taskbay.Busy as error:
                told.append(str(error))

        first, second = [threading.Thread(target=ask, args=(number,)) for number in [1, 2]]
        first.start()
        time.sleep(0.2)
        second.start()
        first.join()
        (helper,) = children()
        second.join()
        self.assertEqual(told[0], "1")
        self.assertIn("others were asking", told[1])
        # Its answer is still to come, and is nobody else's.
        self.assertIsNone(asked.tasks(wait=False))
        time.sleep(1.5)
        self.assertEqual(asked.schema("3")["for"]["schema"]["task"], "3")
        self.assertEqual(children(), [helper])

    def test_who_does_not_want_to_wait_does_not(self):
        asked = matcher(limit=30)
        asked.tasks()
        (helper,) = children()
        os.kill(helper, signal.SIGSTOP)
        waiting = threading.Thread(target=asked.can_run_on, args=("sleep", DATA, FITS))
        waiting.start()
        time.sleep(0.3)
        self.assertIsNone(asked.tasks(wait=False))
        os.kill(helper, signal.SIGCONT)
        waiting.join()
        self.assertIn("tasks", asked.tasks(wait=False))

    def test_a_fork_has_a_helper_of_its_own(self):
        asked = matcher()
        asked.tasks()
        ours = children()
        forked = os.fork()
        if forked == 0:
            good = asked.can_run_on("sleep", DATA, FITS) == [] and len(children()) == 1
            del asked
            os._exit(0 if good else 1)
        _, status = os.waitpid(forked, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        self.assertEqual(children(), ours)
        self.assertEqual(asked.can_run_on("sleep", DATA, FITS), [])

    def test_a_fork_amid_a_question_asks_for_itself(self):
        """The thread whose turn it is, and those that wait, are not in the fork."""
        asked = matcher(limit=30)
        asked.tasks()
        (helper,) = children()
        os.kill(helper, signal.SIGSTOP)
        threads = [threading.Thread(target=asked.can_run_on, args=("sleep", DATA, FITS)) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        forked = os.fork()
        if forked == 0:
            signal.alarm(20)
            good = asked.can_run_on("sleep", DATA, FITS) == [] and len(children()) == 1
            del asked
            os._exit(0 if good else 1)
        _, status = os.waitpid(forked, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        os.kill(helper, signal.SIGCONT)
        for thread in threads:
            thread.join()
        self.assertEqual((asked.can_run_on("sleep", DATA, FITS), children()), ([], [helper]))

    def test_it_ends_with_its_process_and_not_with_the_forks(self):
        told = """
import os, sys, taskbay, time
asked = taskbay.Matcher(program=sys.argv[1], plugin_dirs=[sys.argv[2]])
asked.tasks()
forked = os.fork()
if forked == 0:
    time.sleep(60)
    os._exit(0)
print(forked, flush=True)
time.sleep(60)
"""
        words = [sys.executable, "-c", told, PROGRAM, PLUGINS]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            forked = int(process.stdout.readline())
            self.addCleanup(os.kill, forked, signal.SIGKILL)
            (helper,) = set(children(process.pid)) - {forked}
            process.kill()
        until = time.monotonic() + 20
        while os.path.exists(f"/proc/{helper}"):
            self.assertLess(time.monotonic(), until, "the helper lives on")
            time.sleep(0.05)
        os.kill(forked, 0)

    def test_it_adopts_no_orphans(self):
        asked = matcher()
        asked.analyze()
        left = subprocess.run(["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"], capture_output=True, text=True)
        orphan = int(left.stdout)
        with open(f"/proc/{orphan}/stat") as stat:
            parent = int(stat.read().rsplit(")", 1)[1].split()[1])
        os.kill(orphan, signal.SIGKILL)
        self.assertNotEqual(parent, os.getpid())


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
