import core.models
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('profiling', '0006_twin_queues'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Ranker',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('version', models.PositiveIntegerField(unique=True)),
                ('weights', models.JSONField(help_text='The weight of each term.')),
                ('state', models.CharField(choices=[('refused', 'not better on replay, or worse on a guard'), ('rolling_out', 'ranks for a share of the people, watched'), ('in_force', 'ranks for everybody'), ('standby', 'was in force before, to go back to'), ('stopped', 'taken back while it was rolled out')], max_length=12)),
                ('share', models.PositiveSmallIntegerField(default=100, help_text='For how many of a hundred people it ranks.')),
                ('in_force_since', models.DateTimeField(blank=True, null=True)),
                ('report', models.JSONField(blank=True, default=dict, help_text='What it was learned from, how it did on replay, and why it was refused.')),
            ],
            options={
                'ordering': ('-version',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'in_force')), fields=('state',), name='one_ranker_in_force'), models.UniqueConstraint(condition=models.Q(('state', 'rolling_out')), fields=('state',), name='one_ranker_rolling_out'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'in_force'), _negated=True), ('in_force_since__isnull', False), _connector='OR'), name='ranker_in_force_has_its_instant'), models.CheckConstraint(condition=models.Q(('share__gte', 0), ('share__lte', 100)), name='ranker_share_is_of_a_hundred')],
            },
        ),
        migrations.CreateModel(
            name='Serving',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('ranker_version', models.PositiveIntegerField()),
                ('basis', models.CharField(choices=[('profile', 'words and meaning of the profile'), ('words', 'words of the profile'), ('taste', 'what the person did; nothing was told yet'), ('newest', 'newest first, nothing is known yet')], max_length=8)),
                ('fallbacks', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, help_text='The steps that were left out, and why.', size=None)),
                ('was_cached', models.BooleanField(default=False)),
                ('milliseconds', models.PositiveIntegerField(default=0)),
                ('opportunity_ids', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None)),
                ('propensities', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), default=list, size=None)),
                ('terms', models.JSONField(default=list, help_text='For each opportunity the values of the terms, in the order of `Term`.')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='servings', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['user', '-created_at'], name='servings_of_a_person')],
            },
        ),
    ]
