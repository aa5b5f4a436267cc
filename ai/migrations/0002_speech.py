from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ai', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='usage',
            name='operation',
            field=models.CharField(choices=[('embed', 'embed'), ('converse', 'converse'), ('transcribe', 'transcribe'), ('speak', 'speak')], max_length=12),
        ),
    ]
