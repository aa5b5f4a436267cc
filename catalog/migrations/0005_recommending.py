from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_life_and_taxonomy'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='reaction',
            name='reaction_is_one',
        ),
        migrations.AddField(
            model_name='reaction',
            name='opened_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='opportunity',
            index=models.Index(condition=models.Q(('state', 'live')), fields=['-published_at'], name='opportunity_newest'),
        ),
        migrations.AddIndex(
            model_name='opportunity',
            index=models.Index(condition=models.Q(('state', 'live')), fields=['content_hash'], name='opportunity_by_chance'),
        ),
        migrations.AddConstraint(
            model_name='reaction',
            constraint=models.CheckConstraint(condition=models.Q(('opened_at__isnull', False), ('saved_at__isnull', False), ('dismissed_at__isnull', False), ('applied_at__isnull', False), _connector='OR'), name='reaction_is_one'),
        ),
    ]
