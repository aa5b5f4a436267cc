import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0006_search'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='lexeme',
            name='lexeme_trigrams',
        ),
        migrations.AddIndex(
            model_name='lexeme',
            index=models.Index(django.db.models.functions.text.Left('lexeme', 1), django.db.models.functions.text.Length('lexeme'), name='lexeme_by_shape'),
        ),
    ]
