from django.db import migrations

from mentors.bookable import FUNCTIONS


class Migration(migrations.Migration):

    dependencies = [
        ('mentors', '0006_bookings'),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
    ]
