from django.db import migrations, models
from django.db.models.functions import Now


def _forget_what_was_read(apps, schema_editor):
    """Everything is read anew, because it is read more strictly. What was never read is not fresh."""
    calendars = apps.get_model('mentors', 'OutsideCalendar').objects
    calendars.filter(read_at__isnull=True).update(fresh_at=None)
    calendars.update(version='', due_at=Now())


_TAKE_UNREAD_TIME = """
INSERT INTO mentors_occupiedtime (id, created_at, updated_at, person_id, is_mentor, during, source, moves, is_group, title, calendar_id)
SELECT gen_random_uuid(), now(), now(), person_id, false, tstzrange(now(), '9000-01-01 00:00+00'), 'event', 0, false, '', id
FROM mentors_outsidecalendar WHERE read_at IS NULL;
SELECT mentors_keep_free_time(ARRAY(SELECT person_id FROM mentors_outsidecalendar WHERE read_at IS NULL), now());
"""


class Migration(migrations.Migration):
    dependencies = [
        ('mentors', '0011_better_graph'),
    ]

    operations = [
        migrations.RemoveField(model_name='outsidecalendar', name='skipped'),
        migrations.AddField(
            model_name='outsidecalendar',
            name='problems',
            field=models.JSONField(blank=True, default=list, help_text='What was not understood and counts as busy.'),
        ),
        migrations.AlterField(
            model_name='outsidecalendar',
            name='fresh_at',
            field=models.DateTimeField(blank=True, help_text='When the other side last said how it is; empty until it is read.', null=True),
        ),
        migrations.RunPython(_forget_what_was_read, migrations.RunPython.noop),
        migrations.RunSQL(_TAKE_UNREAD_TIME, migrations.RunSQL.noop),
    ]
