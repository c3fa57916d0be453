"""Times Debusine's task layer: look-up, configuration and verdict. A line of JSON in, nanoseconds a time out."""

import json
import sys
import time

from debusine.tasks import BaseTask
from debusine.tasks.models import TaskTypes

WORKER = {
    "system:worker_type": "external",
    "system:architectures": ["amd64"],
    "noop:version": 1,
    "lintian:version": 1,
    "lintian:available": True,
    "executor:unshare:available": True,
}
TIMES = 200


def judge(name, data):
    return BaseTask.class_from_name(TaskTypes.WORKER, name)(data).can_run_on(WORKER)


print("ready", flush=True)
for line in sys.stdin:
    name, data = json.loads(line)
    assert judge(name, data)
    started = time.perf_counter_ns()
    for _ in range(TIMES):
        judge(name, data)
    print((time.perf_counter_ns() - started) / TIMES, flush=True)
