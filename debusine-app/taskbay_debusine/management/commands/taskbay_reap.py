# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""debusine-admin command to take requests back from workers that are gone."""

from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from taskbay_debusine.reaper import reap


class Command(BaseCommand):
    """Command to take requests back from workers that are gone."""

    help = (
        "Take requests back from workers that have not been connected for a time. "
        "A worker's absence begins when this command first sees it: run it regularly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the command's arguments."""
        parser.add_argument(
            "--gone-for",
            type=float,
            required=True,
            metavar="SECONDS",
            help="how long a worker must have been gone",
        )

        parser.add_argument(
            "--surely",
            action="store_true",
            help="take less than 3900 seconds: no worker is there that seems to be gone",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Take them back, and say which."""
        if options["gone_for"] < 0:
            raise CommandError("--gone-for must not be negative")
        gone_for = timedelta(seconds=options["gone_for"])
        try:
            taken = reap(gone_for, surely=options["surely"])
        except ValueError as exc:
            raise CommandError(str(exc)) from exc
        for number in taken:
            self.stdout.write(f"request {number} is taken back")
