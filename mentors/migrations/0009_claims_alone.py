from django.db import migrations

from mentors.bookable import FUNCTIONS

_WITHOUT_IS_ALONE = """
DROP FUNCTION IF EXISTS mentors_claim(
    uuid, uuid, timestamptz, integer, timestamptz, uuid, timestamptz, integer, uuid, uuid, OUT text[], OUT boolean
);
DROP FUNCTION IF EXISTS mentors_release(uuid, timestamptz);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('mentors', '0008_check_words'),
    ]

    operations = [
        migrations.RunSQL(_WITHOUT_IS_ALONE + FUNCTIONS, migrations.RunSQL.noop),
    ]
