from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('profiling', '0005_recordings_and_evidence'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='profile',
            index=models.Index(condition=models.Q(('content_hash', models.F('twin_embedded_hash')), _negated=True), fields=['id'], name='profile_twin_to_embed'),
        ),
    ]
