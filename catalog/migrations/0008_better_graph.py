import pgvector.django.indexes
from django.db import migrations

_NAMES = ('opportunity_nearest', 'opportunity_twin_nearest', 'skill_nearest', 'skill_twin_nearest')
_STATE = [
    migrations.RemoveIndex(model_name='opportunity', name='opportunity_nearest'),
    migrations.AddIndex(
        model_name='opportunity',
        index=pgvector.django.indexes.HnswIndex(ef_construction=400, fields=['embedding'], m=16, name='opportunity_nearest', opclasses=('halfvec_cosine_ops',)),
    ),
    migrations.RemoveIndex(model_name='opportunity', name='opportunity_twin_nearest'),
    migrations.AddIndex(
        model_name='opportunity',
        index=pgvector.django.indexes.HnswIndex(ef_construction=400, fields=['twin_embedding'], m=16, name='opportunity_twin_nearest', opclasses=('halfvec_cosine_ops',)),
    ),
    migrations.RemoveIndex(model_name='skill', name='skill_nearest'),
    migrations.AddIndex(
        model_name='skill',
        index=pgvector.django.indexes.HnswIndex(ef_construction=400, fields=['embedding'], m=16, name='skill_nearest', opclasses=('halfvec_cosine_ops',)),
    ),
    migrations.RemoveIndex(model_name='skill', name='skill_twin_nearest'),
    migrations.AddIndex(
        model_name='skill',
        index=pgvector.django.indexes.HnswIndex(ef_construction=400, fields=['twin_embedding'], m=16, name='skill_twin_nearest', opclasses=('halfvec_cosine_ops',)),
    ),
]


class Migration(migrations.Migration):
    """What is added from now on is placed with more care. No index is built anew, which would take long under a lock: `REINDEX INDEX
    CONCURRENTLY` does that for the rows of before, whenever it suits."""

    dependencies = [
        ('catalog', '0007_lexeme_by_shape'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=_STATE,
            database_operations=[
                migrations.RunSQL(f'ALTER INDEX {name} SET (ef_construction = 400)', f'ALTER INDEX {name} SET (ef_construction = 200)')
                for name in _NAMES
            ],
        ),
    ]
