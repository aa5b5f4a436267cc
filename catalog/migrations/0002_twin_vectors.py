import pgvector.django.halfvec
import pgvector.django.indexes
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='category',
            name='twin_embedded_hash',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='category',
            name='twin_embedding',
            field=pgvector.django.halfvec.HalfVectorField(blank=True, dimensions=384, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='category',
            name='twin_embedding_model',
            field=models.CharField(blank=True, default='', editable=False, max_length=120),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='twin_embedded_hash',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='twin_embedding',
            field=pgvector.django.halfvec.HalfVectorField(blank=True, dimensions=384, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='twin_embedding_model',
            field=models.CharField(blank=True, default='', editable=False, max_length=120),
        ),
        migrations.AddField(
            model_name='skill',
            name='twin_embedded_hash',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='skill',
            name='twin_embedding',
            field=pgvector.django.halfvec.HalfVectorField(blank=True, dimensions=384, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='skill',
            name='twin_embedding_model',
            field=models.CharField(blank=True, default='', editable=False, max_length=120),
        ),
        migrations.AddIndex(
            model_name='opportunity',
            index=pgvector.django.indexes.HnswIndex(ef_construction=200, fields=['twin_embedding'], m=16, name='opportunity_twin_nearest', opclasses=('halfvec_cosine_ops',)),
        ),
        migrations.AddIndex(
            model_name='skill',
            index=pgvector.django.indexes.HnswIndex(ef_construction=200, fields=['twin_embedding'], m=16, name='skill_twin_nearest', opclasses=('halfvec_cosine_ops',)),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('twin_embedding__isnull', True), ('twin_embedding_model', '')), models.Q(('twin_embedding__isnull', False), models.Q(('twin_embedding_model', ''), _negated=True)), _connector='OR'), name='category_twin_names_its_model'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('twin_embedding__isnull', True), ('twin_embedding_model', '')), models.Q(('twin_embedding__isnull', False), models.Q(('twin_embedding_model', ''), _negated=True)), _connector='OR'), name='opportunity_twin_names_its_model'),
        ),
        migrations.AddConstraint(
            model_name='skill',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('twin_embedding__isnull', True), ('twin_embedding_model', '')), models.Q(('twin_embedding__isnull', False), models.Q(('twin_embedding_model', ''), _negated=True)), _connector='OR'), name='skill_twin_names_its_model'),
        ),
    ]
