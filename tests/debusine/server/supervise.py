"""The parts of a Debusine server, whose files are in /srv.

    supervise.py prepare    makes the files of a new server
    supervise.py run        runs one; the processes of this namespace end with it

A line on standard input is a command, and is answered by a line on standard output, `ok` or `error: ` and why:
`start PART`, `stop PART` or `kill PART`, with a PART of `database`, `redis`, `scheduler` and `server`; `end`. The first
answer is for the start of all of them. At the end of standard input everything ends, and /srv is emptied.
"""

import glob
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

SRV = "/srv"
LIMIT = 120
POSTGRES = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
AS_POSTGRES = {"user": "postgres", "group": "postgres", "extra_groups": []}


class Fault(Exception):
    """What the one who asked is told."""


class Part:
    """A program, what it says in /srv/log, and how it is seen to be ready."""

    def __init__(self, name, command, is_ready, stop=signal.SIGTERM, **options):
        self.name = name
        self.command = command
        self.is_ready = is_ready
        self.stop_signal = stop
        self.options = options
        self.log = f"{SRV}/log/{name}.log"
        self.process = None

    def launch(self):
        self.said_before = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=SRV,
                start_new_session=True,
                **self.options,
            )

    def said(self):
        with open(self.log, errors="replace") as log:
            log.seek(self.said_before)
            return log.read()

    def await_ready(self):
        until = time.monotonic() + LIMIT
        while not self.is_ready(self):
            if self.process.poll() is not None:
                # What a predecessor that was killed leaves behind takes a moment to go.
                if "shared memory block" not in self.said() and "lock file" not in self.said():
                    raise Fault(f"the {self.name} ended: {self.said()[-1000:]}")
                time.sleep(0.1)
                self.launch()
            if time.monotonic() > until:
                raise Fault(f"the {self.name} is not ready: {self.said()[-1000:]}")
            time.sleep(0.02)

    def start(self):
        if self.process is None or self.process.poll() is not None:
            self.launch()
        self.await_ready()

    def stop(self):
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def accepts(family, address):
    with socket.socket(family) as client:
        return client.connect_ex(address) == 0


def database_answers(_):
    asked = [f"{POSTGRES}/pg_isready", "-q", "-h", f"{SRV}/run"]
    return subprocess.run(asked).returncode == 0


def free_port():
    """One below those that connections get by themselves, so that it is free again after a restart."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as server:
            try:
                server.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def serving(port):
    """What serves HTTP, as the server's own service does it: daphne, and in a later one gunicorn, with one process."""
    if shutil.which("daphne"):
        return f"daphne -b 127.0.0.1 -p {port}"
    return f"gunicorn --config=/etc/debusine/server/gunicorn.conf.py -w 1 -b 127.0.0.1:{port}"


def make_parts(port):
    redis = f"{SRV}/run/redis"
    redis_port = free_port()
    with open(f"{SRV}/redis-port", "w") as file:
        file.write(str(redis_port))
    parts = [
        Part(
            "database",
            [f"{POSTGRES}/postgres", "-D", f"{SRV}/pg"],
            database_answers,
            stop=signal.SIGINT,
            **AS_POSTGRES,
        ),
        Part(
            "redis",
            f"redis-server --bind 127.0.0.1 --port {redis_port} --unixsocket {redis} --appendonly no --dir /tmp".split()
            + ["--save", ""],
            lambda _: accepts(socket.AF_UNIX, redis),
        ),
        Part(
            "scheduler",
            "python3 -m celery -A debusine.project worker -l INFO -n scheduler@localhost -Q celery,scheduler --pool solo"
            f" --without-gossip --without-mingle -B -s {SRV}/run/beat".split(),
            lambda part: " ready." in part.said(),
        ),
        Part(
            "server",
            f"{serving(port)} debusine.project.asgi:application".split(),
            lambda _: accepts(socket.AF_INET, ("127.0.0.1", port)),
            env={**os.environ, "DEBUSINE_WORKER_MANAGER": "1"},
        ),
    ]
    return {part.name: part for part in parts}


def prepare():
    for folder in ["data/store", "data/uploads", "data/cache", "log", "python"]:
        os.makedirs(f"{SRV}/{folder}", exist_ok=True)
    os.mkdir(f"{SRV}/pg", mode=0o700)
    shutil.chown(f"{SRV}/pg", "postgres", "postgres")
    make = "-U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8".split()
    subprocess.run([f"{POSTGRES}/initdb", "-D", f"{SRV}/pg", *make], check=True, cwd=SRV, **AS_POSTGRES)
    with open(f"{SRV}/pg/postgresql.conf", "a") as settings:
        settings.write(
            f"listen_addresses = ''\nunix_socket_directories = '{SRV}/run'\nfsync = off\nfull_page_writes = off\n"
            "synchronous_commit = off\njit = off\nshared_buffers = 64MB\n"
        )
    parts = make_parts(0)
    parts["database"].start()
    parts["redis"].start()
    subprocess.run([f"{POSTGRES}/createdb", "-h", f"{SRV}/run", "-U", "postgres", "debusine"], check=True)
    subprocess.run([sys.executable, "/mnt/server/setup.py"], check=True)
    parts["database"].stop()


def obey(parts, line):
    what, _, name = line.partition(" ")
    part = parts.get(name)
    if part is None or what not in ["start", "stop", "kill"]:
        raise Fault(f"`{line}` is no command")
    getattr(part, what)()


def answer(action):
    try:
        action()
        print("ok", flush=True)
    except Fault as fault:
        print("error:", str(fault).replace("\n", " | "), flush=True)


def run():
    port = free_port()
    parts = make_parts(port)

    def start_all():
        for part in parts.values():
            if part.name == "scheduler":
                parts["database"].await_ready()
                parts["redis"].await_ready()
            part.launch()
        for part in parts.values():
            part.await_ready()
        with open(f"{SRV}/url", "w") as file:
            file.write(f"http://127.0.0.1:{port}/api")

    answer(start_all)
    for line in sys.stdin:
        if line.strip() == "end":
            break
        answer(lambda: obey(parts, line.strip()))
    # All that is in this namespace, but for its first process.
    os.kill(-1, signal.SIGKILL)
    for name in os.listdir(SRV):
        path = f"{SRV}/{name}"
        shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) else os.unlink(path)


if __name__ == "__main__":
    {"prepare": prepare, "run": run}[sys.argv[1]]()
