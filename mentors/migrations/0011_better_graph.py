import pgvector.django.indexes
from django.db import migrations

_INDEXES = (
    ('mentorprofile', 'embedding', 'mentor_nearest'),
    ('mentorprofile', 'twin_embedding', 'mentor_twin_nearest'),
)


def _as_the_state_knows_it(model, field, name):
    index = pgvector.django.indexes.HnswIndex(ef_construction=400, fields=[field], m=16, name=name, opclasses=('halfvec_cosine_ops',))
    return [migrations.RemoveIndex(model_name=model, name=name), migrations.AddIndex(model_name=model, index=index)]


class Migration(migrations.Migration):
    """What is added from now on is placed with more care. No index is built anew, which would take long under a lock: `REINDEX INDEX
    CONCURRENTLY` does that for the rows of before, whenever it suits."""

    dependencies = [
        ('mentors', '0010_looks_before_locks'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[change for index in _INDEXES for change in _as_the_state_knows_it(*index)],
            database_operations=[
                migrations.RunSQL(f'ALTER INDEX {name} SET (ef_construction = 400)', f'ALTER INDEX {name} SET (ef_construction = 200)')
                for _, _, name in _INDEXES
            ],
        ),
    ]
