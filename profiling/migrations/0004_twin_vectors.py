import pgvector.django.halfvec
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('profiling', '0003_slots_and_suggestions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='claim',
            name='twin_embedding',
            field=pgvector.django.halfvec.HalfVectorField(blank=True, dimensions=384, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='claim',
            name='twin_embedding_model',
            field=models.CharField(blank=True, default='', editable=False, max_length=120),
        ),
        migrations.AddField(
            model_name='profile',
            name='twin_embedded_hash',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='profile',
            name='twin_embedding',
            field=pgvector.django.halfvec.HalfVectorField(blank=True, dimensions=384, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='profile',
            name='twin_embedding_model',
            field=models.CharField(blank=True, default='', editable=False, max_length=120),
        ),
        migrations.AddConstraint(
            model_name='profile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('twin_embedding__isnull', True), ('twin_embedding_model', '')), models.Q(('twin_embedding__isnull', False), models.Q(('twin_embedding_model', ''), _negated=True)), _connector='OR'), name='profile_twin_names_its_model'),
        ),
    ]
