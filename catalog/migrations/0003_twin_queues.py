from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0002_twin_vectors'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='opportunity',
            index=models.Index(condition=models.Q(('content_hash', models.F('twin_embedded_hash')), _negated=True), fields=['id'], name='opportunity_twin_to_embed'),
        ),
        migrations.AddIndex(
            model_name='skill',
            index=models.Index(condition=models.Q(('content_hash', models.F('twin_embedded_hash')), _negated=True), fields=['id'], name='skill_twin_to_embed'),
        ),
    ]
