# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""The app's first tables."""

import django.db.models.deletion
from django.db import migrations, models

ID = models.BigAutoField(
    auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
)


class Migration(migrations.Migration):
    """Make them."""

    initial = True

    dependencies = [("db", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="KnownTask",
            fields=[
                ("id", ID),
                ("name", models.CharField(max_length=100, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="Verdict",
            fields=[
                ("id", ID),
                ("task_name", models.CharField(max_length=100)),
                ("data", models.CharField(max_length=64)),
                ("metadata", models.CharField(max_length=64)),
                ("reasons", models.JSONField()),
                ("judged_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Absence",
            fields=[
                ("id", ID),
                ("since", models.DateTimeField()),
                ("seen", models.DateTimeField()),
                (
                    "worker",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, to="db.worker"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.UniqueConstraint(
                fields=("task_name", "data", "metadata"),
                name="taskbay_debusine_verdict_unique",
            ),
        ),
    ]
