"""Makes the tables, and a user `test` who owns the workspace System and whose token is in /srv/token."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "debusine.project.settings")
django.setup()

from debusine.db.context import context
from debusine.db.models import Group, Token, User, default_workspace
from django.core.management import call_command
from django.db import transaction

call_command("migrate", verbosity=0)
with transaction.atomic(), context.disable_permission_checks():
    user = User.objects.create_superuser("test", "test@localhost", "test")
    workspace = default_workspace()
    # Even a superuser may create work requests only as an owner.
    group = Group.objects.create(name="test", scope=workspace.scope)
    group.add_user(user)
    group.assign_role(workspace, "owner")
    token = Token.objects.create(user=user, enabled=True, comment="test")
with open("/srv/token", "w") as file:
    file.write(token.key)
