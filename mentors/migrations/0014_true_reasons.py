from django.db import migrations

from mentors.bookable import FUNCTIONS


class Migration(migrations.Migration):

    dependencies = [
        ('mentors', '0013_barred_until'),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
    ]
