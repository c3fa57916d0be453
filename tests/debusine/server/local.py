"""The settings of a server that stands in /srv alone."""

import os
from datetime import timedelta

from . import defaults
from .defaults import *

DEBUSINE_FQDN = "localhost"
ALLOWED_HOSTS = ["*"]
ADMINS = ()
SECRET_KEY = "no secret: this server serves tests"
DEBUSINE_DATA_PATH = "/srv/data"
DEBUSINE_UPLOAD_DIRECTORY = "/srv/data/uploads"
DEBUSINE_STORE_DIRECTORY = "/srv/data/store"
DEBUSINE_CACHE_DIRECTORY = "/srv/data/cache"
DEBUSINE_LOG_DIRECTORY = "/srv/log"
STATICFILES_DIRS = []
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "debusine",
        "USER": "postgres",
        "HOST": "/srv/run",
        "ATOMIC_REQUESTS": True,
    }
}
CELERY_BROKER_URL = "redis+socket:///srv/run/redis"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": ["unix:///srv/run/redis"]},
    }
}
# A later server counts and keeps logs there, too; the first only where it has a port.
with open("/srv/redis-port") as port:
    PROMETHEUS_REDIS_URL = f"redis://127.0.0.1:{port.read()}/1"
LIVE_LOG_REDIS_URL = "unix:///srv/run/redis?db=2"
# What a lost notification costs a test, and next to nothing in between.
CELERY_BEAT_SCHEDULE = {
    "fallback-scheduler": {
        "task": "debusine.server.scheduler.schedule_task",
        "schedule": timedelta(seconds=2),
    }
}
# What a test adds.
if os.path.exists("/srv/local.py"):
    with open("/srv/local.py") as more:
        exec(compile(more.read(), "/srv/local.py", "exec"))
