import core.models
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mentors', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Check',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('kind', models.CharField(choices=[('identity', 'identity'), ('employer', 'employer'), ('credential', 'credential'), ('reference', 'reference'), ('background', 'background')], max_length=12)),
                ('scope', models.CharField(choices=[('general', 'in general'), ('minors', 'for work with people under 18')], default='general', max_length=8)),
                ('state', models.CharField(choices=[('open', 'the mentor gathers evidence'), ('submitted', 'waits for staff'), ('second_review', 'waits for a second member of staff'), ('passed', 'passed'), ('refused', 'not passed'), ('withdrawn', 'taken back by the mentor'), ('revoked', 'passed once, and taken back by staff')], default='open', max_length=14)),
                ('statement', models.CharField(blank=True, default='', help_text='What is to be checked; stands on the badge.', max_length=200)),
                ('contact', models.CharField(blank=True, default='', help_text='A mailbox at work, or who recommends; deleted later.', max_length=254)),
                ('proven_domain', models.CharField(blank=True, default='', help_text='Of the mailbox at work, once its code came back.', max_length=253)),
                ('codes_mailed', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('checked_name', models.CharField(blank=True, default='', help_text="The mentor's name then. With another one it lapses.", max_length=200)),
                ('submitted_at', models.DateTimeField(blank=True, null=True)),
                ('evidence', models.CharField(blank=True, choices=[('passport', 'a passport in this name'), ('identity_card', 'an identity card in this name'), ('residence_permit', 'a residence permit in this name'), ('driving_licence', 'a driving licence in this name'), ('work_mail', 'a mailbox of the employer'), ('employer_letter', 'a letter of the employer'), ('diploma', 'the document itself'), ('register', 'an entry in the public register'), ('reference_call', 'a talk with the person who recommends'), ('reference_letter', 'a letter of the person who recommends'), ('police_certificate', 'a police certificate in this name'), ('extended_police_certificate', 'an extended police certificate, for work with children, in this name')], default='', help_text='What you saw.', max_length=30)),
                ('first_reviewed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('decided_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('decision_note', models.CharField(blank=True, default='', help_text='Told to the mentor.', max_length=1000)),
                ('expires_at', models.DateTimeField(blank=True, help_text='Left empty, it counts as long as one of its kind may.', null=True)),
                ('told_expiry_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('first_reviewer', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='checks', to='mentors.mentorprofile')),
                ('reviewer', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('kind__in', ('identity', 'background')), ('state__in', ('open', 'submitted', 'second_review'))), fields=('profile', 'kind', 'scope'), name='one_undecided_check_of_a_kind'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'passed'), _negated=True), models.Q(models.Q(('evidence', ''), _negated=True), ('decided_at__isnull', False), ('expires_at__gt', models.F('decided_at'))), _connector='OR'), name='passed_check_says_by_what_and_how_long'), models.CheckConstraint(condition=models.Q(models.Q(('scope', 'minors'), ('state', 'passed'), _negated=True), ('first_reviewed_at__isnull', False), _connector='OR'), name='check_for_minors_was_reviewed_twice'), models.CheckConstraint(condition=models.Q(('first_reviewer__isnull', True), ('reviewer__isnull', True), models.Q(('first_reviewer', models.F('reviewer')), _negated=True), _connector='OR'), name='nobody_reviews_a_check_twice'), models.CheckConstraint(condition=models.Q(models.Q(('scope', 'minors'), _negated=True), ('kind', 'background'), _connector='OR'), name='only_the_background_is_checked_for_minors')],
                'indexes': [models.Index(condition=models.Q(('state', 'passed')), fields=['profile', 'kind', 'expires_at'], name='check_in_force'), models.Index(condition=models.Q(('state__in', ('submitted', 'second_review'))), fields=['submitted_at'], name='check_to_review'), models.Index(condition=models.Q(('state', 'passed'), ('told_expiry_at__isnull', True)), fields=['expires_at'], name='check_expiry_to_tell'), models.Index(condition=models.Q(('state', 'open')), fields=['updated_at'], name='check_left_open')],
            },
        ),
        migrations.CreateModel(
            name='CheckDocument',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('file', models.CharField(max_length=200, unique=True)),
                ('content_type', models.CharField(max_length=30)),
                ('size', models.PositiveIntegerField()),
                ('is_stored', models.BooleanField(default=False)),
                ('check_of', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='documents', to='mentors.check')),
            ],
            options={
                'ordering': ('id',),
                'indexes': [models.Index(condition=models.Q(('is_stored', False)), fields=['created_at'], name='document_never_stored')],
            },
        ),
    ]
