"""Makes the tables, and a user `test` who owns the workspace System and whose token is in /srv/token."""

import os
from inspect import signature

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
    # Later servers keep who is in a scope.
    in_scope = {"grant_scope_membership": True} if "grant_scope_membership" in signature(group.add_user).parameters else {}
    group.add_user(user, **in_scope)
    group.assign_role(workspace, "owner")
    # Later servers have tokens of several kinds.
    kind = {"token_type": Token.Types.USER} if hasattr(Token, "Types") else {}
    token = Token.objects.create(user=user, enabled=True, comment="test", **kind)
with open("/srv/token", "w") as file:
    file.write(token.key)
