import core.models
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0002_auditentry'),
    ]

    operations = [
        migrations.CreateModel(
            name='EmbeddingSpace',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('model', models.CharField(max_length=120, unique=True)),
                ('column', models.CharField(choices=[('embedding', 'first'), ('twin_embedding', 'second')], max_length=20, unique=True)),
                ('state', models.CharField(choices=[('in_force', 'serves every search'), ('filling', 'is being filled beside the one in force'), ('standby', 'was in force before and is kept up to date, to go back to')], max_length=10)),
                ('in_force_since', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('id',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'in_force')), fields=('state',), name='one_space_in_force'), models.CheckConstraint(condition=models.Q(('column__in', ['embedding', 'twin_embedding'])), name='space_has_a_column')],
            },
        ),
    ]
