from django.db import migrations

from mentors.bookable import FUNCTIONS


class Migration(migrations.Migration):

    dependencies = [
        ('mentors', '0009_claims_alone'),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
    ]
