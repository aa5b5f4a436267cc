import pgvector.django.indexes
from django.db import migrations

_NAMES = ('mentor_nearest', 'mentor_twin_nearest')
_STATE = [
    migrations.RemoveIndex(model_name='mentorprofile', name='mentor_nearest'),
    migrations.AddIndex(
        model_name='mentorprofile',
        index=pgvector.django.indexes.HnswIndex(ef_construction=400, fields=['embedding'], m=16, name='mentor_nearest', opclasses=('halfvec_cosine_ops',)),
    ),
    migrations.RemoveIndex(model_name='mentorprofile', name='mentor_twin_nearest'),
    migrations.AddIndex(
        model_name='mentorprofile',
        index=pgvector.django.indexes.HnswIndex(ef_construction=400, fields=['twin_embedding'], m=16, name='mentor_twin_nearest', opclasses=('halfvec_cosine_ops',)),
    ),
]


class Migration(migrations.Migration):
    """What is added from now on is placed with more care. No index is built anew, which would take long under a lock: `REINDEX INDEX
    CONCURRENTLY` does that for the rows of before, whenever it suits."""

    dependencies = [
        ('mentors', '0010_looks_before_locks'),
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
