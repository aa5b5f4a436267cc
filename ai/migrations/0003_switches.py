import core.models
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ai', '0002_speech'),
    ]

    operations = [
        migrations.AlterField(
            model_name='usage',
            name='outcome',
            field=models.CharField(choices=[('pending', 'pending'), ('ok', 'ok'), ('timeout', 'timed out'), ('rate_limited', 'rate limited'), ('failed', 'failed'), ('nonsense', 'answered nonsense'), ('over_budget', 'over budget'), ('switched_off', 'switched off by staff')], default='pending', max_length=14),
        ),
        migrations.CreateModel(
            name='EngineSwitch',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('engine', models.CharField(choices=[('openai', 'OpenAI-compatible'), ('embedded', 'embedded')], max_length=12, unique=True)),
                ('is_on', models.BooleanField(default=True, help_text='Off: no call leaves; the embedded engines stand in, and say so.')),
                ('reason', models.CharField(blank=True, default='', max_length=300)),
            ],
            options={
                'verbose_name_plural': 'engine switches',
                'ordering': ('engine',),
                'constraints': [models.CheckConstraint(condition=models.Q(('engine', 'embedded'), _negated=True), name='embedded_engine_has_no_switch')],
            },
        ),
    ]
