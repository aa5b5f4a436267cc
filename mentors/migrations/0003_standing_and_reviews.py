import core.models
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mentors', '0002_checks'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='mentorprofile',
            name='resumed_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When they last came back from a pause.', null=True),
        ),
        migrations.AddField(
            model_name='schedule',
            name='full_until',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('reference', models.UUIDField(help_text='The session.')),
                ('is_of_mentor', models.BooleanField()),
                ('session_ended_at', models.DateTimeField()),
                ('closes_at', models.DateTimeField(help_text='From then on it cannot be written, and is hidden no more.')),
                ('state', models.CharField(choices=[('open', 'may be written'), ('written', 'counts'), ('held', 'waits for staff'), ('removed', 'taken down by staff'), ('withdrawn', 'taken back by its author')], default='open', max_length=9)),
                ('rating', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('text', models.TextField(blank=True, default='', max_length=3000)),
                ('private_score', models.PositiveSmallIntegerField(blank=True, help_text='0 to 10, for the ranking alone; shown to nobody.', null=True)),
                ('written_at', models.DateTimeField(blank=True, null=True)),
                ('visible_at', models.DateTimeField(blank=True, help_text='When both had written, or the time for it was over.', null=True)),
                ('edited_at', models.DateTimeField(blank=True, null=True)),
                ('told_at', models.DateTimeField(blank=True, help_text='When the other one was told that it can be seen.', null=True)),
                ('reply', models.TextField(blank=True, default='', max_length=2000)),
                ('replied_at', models.DateTimeField(blank=True, null=True)),
                ('signals', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('ring', 'people review each other in a circle'), ('burst', 'many at once for who gets few'), ('newcomers', 'accounts that were made for this one mentor'), ('reported', 'several people reported it')], max_length=12), blank=True, default=list, size=None)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('about', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reviews_received', to=settings.AUTH_USER_MODEL)),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reviews_written', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('profile', models.ForeignKey(help_text='Of its mentor.', on_delete=django.db.models.deletion.CASCADE, related_name='session_reviews', to='mentors.mentorprofile')),
            ],
            options={
                'ordering': ('-visible_at', '-id'),
                'constraints': [models.UniqueConstraint(fields=('reference', 'author', 'about'), name='one_review_per_session_and_pair'), models.CheckConstraint(condition=models.Q(('author__isnull', True), models.Q(('author', models.F('about')), _negated=True), _connector='OR'), name='nobody_reviews_themselves'), models.CheckConstraint(condition=models.Q(('closes_at__gt', models.F('session_ended_at'))), name='a_review_can_be_written_for_a_while'), models.CheckConstraint(condition=models.Q(('rating__isnull', True), models.Q(('rating__gte', 1), ('rating__lte', 5)), _connector='OR'), name='a_rating_is_one_to_five'), models.CheckConstraint(condition=models.Q(('private_score__isnull', True), ('private_score__lte', 10), _connector='OR'), name='a_private_score_is_up_to_ten'), models.CheckConstraint(condition=models.Q(models.Q(('rating__isnull', True), ('state', 'open'), ('written_at__isnull', True)), models.Q(models.Q(('state', 'open'), _negated=True), ('rating__isnull', False), ('visible_at__isnull', False), ('written_at__isnull', False)), _connector='OR'), name='what_is_written_has_its_rating')],
                'indexes': [models.Index(condition=models.Q(('is_of_mentor', True), ('state', 'written')), fields=['profile', '-visible_at', '-id'], name='review_of_mentor'), models.Index(condition=models.Q(('state', 'open')), fields=['author', 'closes_at'], name='review_to_write'), models.Index(condition=models.Q(('state', 'written')), fields=['about', '-visible_at'], name='review_about_person'), models.Index(condition=models.Q(('state', 'written'), ('told_at__isnull', True)), fields=['visible_at'], name='review_to_tell'), models.Index(condition=models.Q(('state', 'held')), fields=['written_at'], name='review_held')],
            },
        ),
        migrations.CreateModel(
            name='ReviewReport',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('reason', models.CharField(choices=[('abuse', 'insults or threats'), ('private', 'tells private things'), ('false', 'did not happen'), ('other', 'something else')], max_length=12)),
                ('note', models.CharField(blank=True, default='', max_length=1000)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('reporter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('review', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='mentors.review')),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(fields=('review', 'reporter'), name='one_report_per_person_and_review')],
                'indexes': [models.Index(condition=models.Q(('settled_at__isnull', True)), fields=['review'], name='report_to_settle')],
            },
        ),
        migrations.CreateModel(
            name='ReviewVersion',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('is_reply', models.BooleanField(default=False)),
                ('rating', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('text', models.TextField(blank=True, default='')),
                ('review', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='mentors.review')),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='SessionRequest',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('reference', models.UUIDField(unique=True)),
                ('asked_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(help_text='Not answered by then, it is missed.')),
                ('outcome', models.CharField(choices=[('open', 'not answered yet'), ('accepted', 'accepted'), ('declined', 'declined'), ('missed', 'not answered in time'), ('withdrawn', 'taken back by who asked')], default='open', max_length=9)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='session_requests', to='mentors.mentorprofile')),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.CheckConstraint(condition=models.Q(('due_at__gt', models.F('asked_at'))), name='a_request_leaves_time'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('outcome', 'open')), models.Q(models.Q(('outcome', 'open'), _negated=True), ('ended_at__gte', models.F('asked_at'))), _connector='OR'), name='a_request_ends_after_it_was_asked')],
                'indexes': [models.Index(fields=['profile', '-asked_at'], name='request_of_mentor'), models.Index(condition=models.Q(('outcome', 'open')), fields=['due_at'], name='request_due')],
            },
        ),
    ]
