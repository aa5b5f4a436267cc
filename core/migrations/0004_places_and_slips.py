from django.contrib.postgres.operations import CreateExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0003_spaces")]

    operations = [CreateExtension("cube"), CreateExtension("earthdistance"), CreateExtension("fuzzystrmatch")]
