from django.db import migrations

from mentors.bookable import FUNCTIONS


class Migration(migrations.Migration):

    dependencies = [
        ('mentors', '0012_calendar_problems'),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
    ]
