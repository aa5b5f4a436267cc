from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_registrant_origin")]

    operations = [
        migrations.AlterField(
            model_name="mailedkey",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("verify_email", "confirm an address"),
                    ("change_email", "change the address"),
                    ("reset_password", "choose a new password"),
                    ("log_in", "sign in"),
                    ("undo_erasure", "keep the account"),
                    ("guardian", "become a guardian"),
                    ("hand_over", "take over a profile"),
                    ("work_email", "prove a mailbox at work"),
                ],
                max_length=16,
            ),
        ),
    ]
