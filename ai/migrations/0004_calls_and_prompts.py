from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ai', '0003_switches'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='dailybudget',
            name='calls',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='dailybudget',
            name='calls_limit',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='usage',
            name='prompt',
            field=models.CharField(blank=True, default='', help_text='Name and version of the instructions given.', max_length=40),
        ),
        migrations.AlterField(
            model_name='usage',
            name='operation',
            field=models.CharField(choices=[('embed', 'embed'), ('converse', 'converse'), ('transcribe', 'transcribe'), ('speak', 'speak'), ('moderate', 'moderate')], max_length=12),
        ),
        migrations.AlterField(
            model_name='usage',
            name='outcome',
            field=models.CharField(choices=[('pending', 'pending'), ('ok', 'ok'), ('timeout', 'timed out'), ('rate_limited', 'rate limited'), ('failed', 'failed'), ('nonsense', 'answered nonsense'), ('over_budget', 'over budget'), ('moderated', 'not given to an outside model for what it says'), ('switched_off', 'switched off by staff')], default='pending', max_length=14),
        ),
        migrations.AddConstraint(
            model_name='dailybudget',
            constraint=models.CheckConstraint(condition=models.Q(('calls__lte', models.F('calls_limit'))), name='calls_within_their_limit'),
        ),
    ]
