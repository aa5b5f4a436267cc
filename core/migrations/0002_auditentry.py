
import django.contrib.postgres.fields
import django.utils.timezone
from django.db import migrations, models


# An entry that was written stays as it was written.
_APPEND_ONLY = """
CREATE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON core_auditentry
FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""
_CHANGEABLE = "DROP TRIGGER audit_entry_append_only ON core_auditentry; DROP FUNCTION core_refuse_change();"


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('number', models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ('happened_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('actor_id', models.UUIDField()),
                ('action', models.CharField(max_length=20)),
                ('thing_kind', models.CharField(max_length=100)),
                ('thing_id', models.CharField(blank=True, default='', max_length=100)),
                ('fields', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, size=None)),
                ('previous_digest', models.CharField(blank=True, default='', max_length=64)),
                ('digest', models.CharField(max_length=64)),
            ],
            options={
                'verbose_name_plural': 'audit entries',
                'ordering': ('-number',),
                'indexes': [models.Index(fields=['actor_id', '-number'], name='audit_by_actor'), models.Index(fields=['thing_kind', 'thing_id', '-number'], name='audit_by_thing')],
            },
        ),
        migrations.RunSQL(_APPEND_ONLY, _CHANGEABLE),
    ]
