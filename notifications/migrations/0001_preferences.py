import core.models
import datetime
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Preferences',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('quiet_from', models.TimeField(blank=True, null=True)),
                ('quiet_until', models.TimeField(blank=True, help_text='On the next day where it is not after the start.', null=True)),
                ('cadence', models.CharField(choices=[('at_once', 'each at once'), ('hourly', 'together, every hour'), ('daily', 'together, every day'), ('weekly', 'together, every week')], default='at_once', max_length=7)),
                ('digest_at', models.TimeField(default=datetime.time(8, 0), help_text='For daily and weekly digests.')),
                ('digest_on', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=0, help_text='For weekly digests.')),
                ('urgent_breaks_through', models.BooleanField(default=False, help_text='Whether what is about to happen may be told in quiet hours.')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='notification_preferences', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'preferences',
                'ordering': ('-id',),
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('quiet_from__isnull', True), ('quiet_until__isnull', True)), models.Q(models.Q(('quiet_from', models.F('quiet_until')), _negated=True), ('quiet_from__isnull', False), ('quiet_until__isnull', False)), _connector='OR'), name='quiet_hours_have_a_start_and_an_end'), models.CheckConstraint(condition=models.Q(('digest_on__lte', 6)), name='digest_on_a_weekday')],
            },
        ),
    ]
