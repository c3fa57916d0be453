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


def children():
    """The processes that this one has, by their numbers."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True
    )
    lines = [line.split(None, 1) for line in listed.stdout.splitlines()]
    return [int(pid) for pid, command in lines if command.startswith(PROGRAM)]


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
        with tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False) as script:
            script.write("#!/bin/sh\nread question\necho well\nexec cat >/dev/null\n")
        self.addCleanup(os.unlink, script.name)
        os.chmod(script.name, 0o755)
        with self.assertRaisesRegex(taskbay.NotAsked, "said what is no answer"):
            matcher(program=script.name).tasks()

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
