import core.models
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0004_places_and_slips'),
        ('catalog', '0005_recommending'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SavedSearch',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=100)),
                ('filters', models.JSONField(default=dict, help_text='The parameters of the search, as its address has them.')),
                ('is_notifying', models.BooleanField(default=True)),
                ('looked_until', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name_plural': 'saved searches',
                'ordering': ('-id',),
            },
        ),
        migrations.AddField(
            model_name='opportunity',
            name='latitude',
            field=models.FloatField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='longitude',
            field=models.FloatField(blank=True, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name='opportunity',
            index=django.contrib.postgres.indexes.GistIndex(models.Func(models.F('latitude'), models.F('longitude'), function='ll_to_earth'), condition=models.Q(('latitude__isnull', False), ('longitude__isnull', False)), name='opportunity_places'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('latitude__isnull', True), ('longitude__isnull', True)), models.Q(('latitude__gte', -90), ('latitude__lte', 90), ('longitude__gte', -180), ('longitude__lte', 180)), _connector='OR'), name='opportunity_is_on_the_map'),
        ),
        migrations.AddField(
            model_name='savedsearch',
            name='found',
            field=models.ManyToManyField(blank=True, related_name='+', to='catalog.opportunity'),
        ),
        migrations.AddField(
            model_name='savedsearch',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_searches', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='savedsearch',
            index=models.Index(fields=['looked_until'], name='saved_search_due'),
        ),
        migrations.AddConstraint(
            model_name='savedsearch',
            constraint=models.UniqueConstraint(fields=('user', 'name'), name='one_saved_search_per_person_and_name'),
        ),
    ]
