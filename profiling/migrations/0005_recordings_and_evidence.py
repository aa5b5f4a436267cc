import core.models
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0002_twin_vectors'),
        ('profiling', '0004_twin_vectors'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Recording',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('file', models.CharField(help_text='Its name in the private storage.', max_length=200, unique=True)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.AddField(
            model_name='claim',
            name='source_before',
            field=models.CharField(blank=True, choices=[('inferred', 'inferred from an answer'), ('mine', 'stated by the person'), ('verified', 'stated by the person and proven by evidence')], default='', max_length=10),
        ),
        migrations.AddIndex(
            model_name='claim',
            index=models.Index(condition=models.Q(('evidence', ''), _negated=True), fields=['evidence'], name='claims_by_evidence'),
        ),
        migrations.AddField(
            model_name='recording',
            name='answer',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='recording', to='profiling.answer'),
        ),
        migrations.AddField(
            model_name='recording',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recordings', to=settings.AUTH_USER_MODEL),
        ),
    ]
