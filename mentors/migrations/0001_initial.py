import accounts.models.people
import core.models
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
import mentors.models.availability
import mentors.models.fields
import pgvector.django.halfvec
import pgvector.django.indexes
import psycopg.types.multirange
import re
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('catalog', '0007_lexeme_by_shape'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MentorProfile',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('content_hash', models.CharField(blank=True, default='', max_length=64)),
                ('embedding', pgvector.django.halfvec.HalfVectorField(blank=True, dimensions=384, editable=False, null=True)),
                ('embedding_model', models.CharField(blank=True, default='', editable=False, max_length=120)),
                ('embedded_hash', models.CharField(blank=True, default='', editable=False, max_length=64)),
                ('twin_embedding', pgvector.django.halfvec.HalfVectorField(blank=True, dimensions=384, editable=False, null=True)),
                ('twin_embedding_model', models.CharField(blank=True, default='', editable=False, max_length=120)),
                ('twin_embedded_hash', models.CharField(blank=True, default='', editable=False, max_length=64)),
                ('state', models.CharField(choices=[('draft', 'not yet applied'), ('applied', 'waits for staff'), ('live', 'found and booked'), ('paused', 'shown, not booked'), ('rejected', 'not taken; may apply again'), ('suspended', 'taken down by staff'), ('left', 'mentors no more')], default='draft', max_length=10)),
                ('headline', models.CharField(blank=True, default='', max_length=150)),
                ('bio', models.TextField(blank=True, default='', max_length=5000)),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16, validators=[django.core.validators.RegexValidator(re.compile('[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\\Z'))]), blank=True, default=list, size=20)),
                ('accessibility_practices', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('captions', 'live captions'), ('sign_language', 'sign language, or an interpreter is welcome'), ('text_only', 'the whole session in writing'), ('screen_reader', 'material that screen readers read'), ('camera_optional', 'the camera may stay off'), ('slow_pace', 'a slow pace'), ('breaks', 'breaks whenever they are needed'), ('plain_language', 'plain language'), ('written_summary', 'a written summary afterwards'), ('companion', 'a companion may take part')], max_length=20), blank=True, default=list, size=None)),
                ('capacity', models.PositiveSmallIntegerField(default=5, help_text='How many people may have sessions ahead at one time.')),
                ('is_open_to_minors', models.BooleanField(default=False, help_text='Wants to work with people under 18; needs the checks for it.')),
                ('applied_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('decided_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('decision_note', models.CharField(blank=True, default='', help_text='Told to the mentor.', max_length=1000)),
                ('live_since', models.DateTimeField(blank=True, editable=False, null=True)),
                ('paused_because', models.CharField(blank=True, choices=[('own_wish', "the mentor's wish"), ('missed_requests', 'requests in a row were not answered in time')], default='', editable=False, max_length=20)),
                ('decided_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='mentor_profile', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-id',),
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='MentorSkill',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('years', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='skill_links', to='mentors.mentorprofile')),
                ('skill', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.skill')),
            ],
            options={
                'ordering': ('profile', '-years', 'id'),
            },
        ),
        migrations.AddField(
            model_name='mentorprofile',
            name='skills',
            field=models.ManyToManyField(related_name='mentors', through='mentors.MentorSkill', to='catalog.skill'),
        ),
        migrations.CreateModel(
            name='OccupiedTime',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('source', models.CharField(choices=[('session', 'a session'), ('hold', 'held for somebody who is booking'), ('event', 'an event of an outside calendar'), ('block', 'blocked by hand')], max_length=8)),
                ('during', django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ('session', django.contrib.postgres.fields.ranges.DateTimeRangeField(blank=True, null=True)),
                ('reference', models.UUIDField(blank=True, help_text='What was booked; the same for each who takes part.', null=True)),
                ('is_mentor', models.BooleanField(default=False, help_text='The person is the mentor of what was booked.')),
                ('held_until', models.DateTimeField(blank=True, null=True)),
                ('title', models.CharField(blank=True, default='', help_text="For the person's own eyes.", max_length=300)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='occupied_times', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='Offer',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('kind', models.CharField(choices=[('introduction', 'a first talk'), ('session', 'a session'), ('review', 'a look at work, a portfolio or a résumé'), ('mock_interview', 'a practice interview'), ('group', 'a session for several')], max_length=15)),
                ('title', models.CharField(max_length=100)),
                ('duration_minutes', models.PositiveSmallIntegerField()),
                ('price_amount', models.PositiveIntegerField()),
                ('price_currency', models.CharField(max_length=3, validators=[django.core.validators.RegexValidator('[A-Z]{3}\\Z')])),
                ('group_size', models.PositiveSmallIntegerField(default=1)),
                ('is_active', models.BooleanField(default=True, help_text='What was booked once stays in the books, switched off.')),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offers', to='mentors.mentorprofile')),
            ],
            options={
                'ordering': ('profile', 'price_amount', 'id'),
            },
        ),
        migrations.CreateModel(
            name='Schedule',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('time_zone', models.CharField(max_length=64, validators=[accounts.models.people.validate_time_zone])),
                ('increment_minutes', models.PositiveSmallIntegerField(default=30, help_text='Sessions start so many minutes apart.')),
                ('buffer_before_minutes', models.PositiveSmallIntegerField(default=0)),
                ('buffer_after_minutes', models.PositiveSmallIntegerField(default=0)),
                ('notice_minutes', models.PositiveIntegerField(default=1440)),
                ('horizon_days', models.PositiveSmallIntegerField(default=60)),
                ('most_per_day', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('most_per_week', models.PositiveSmallIntegerField(blank=True, help_text='From Monday to Sunday (ISO 8601).', null=True)),
                ('most_per_month', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(default=1, help_text='Counts the changes of the rules.')),
                ('open_time', mentors.models.fields.InstantRangesField(default=psycopg.types.multirange.TimestamptzMultirange, editable=False)),
                ('free_time', mentors.models.fields.InstantRangesField(default=psycopg.types.multirange.TimestamptzMultirange, editable=False)),
                ('full_time', mentors.models.fields.InstantRangesField(default=psycopg.types.multirange.TimestamptzMultirange, editable=False)),
                ('grids', django.contrib.postgres.fields.ArrayField(base_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(), default=list, editable=False, size=None)),
                ('expanded_until', models.DateField(editable=False, null=True)),
                ('profile', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='schedule', to='mentors.mentorprofile')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='DateOverride',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('on_date', models.DateField()),
                ('start_minute', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('end_minute', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('schedule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='mentors.schedule')),
            ],
            options={
                'ordering': ('schedule', 'on_date', 'start_minute'),
            },
        ),
        migrations.CreateModel(
            name='Travel',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('first_on', models.DateField()),
                ('last_on', models.DateField()),
                ('time_zone', models.CharField(max_length=64, validators=[accounts.models.people.validate_time_zone])),
                ('schedule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='travels', to='mentors.schedule')),
            ],
            options={
                'ordering': ('schedule', 'first_on'),
            },
        ),
        migrations.CreateModel(
            name='WeeklyHours',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')])),
                ('start_minute', models.PositiveSmallIntegerField()),
                ('end_minute', models.PositiveSmallIntegerField()),
                ('schedule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='weekly_hours', to='mentors.schedule')),
            ],
            options={
                'verbose_name_plural': 'weekly hours',
                'ordering': ('schedule', 'weekday', 'start_minute'),
            },
        ),
        migrations.AddConstraint(
            model_name='mentorskill',
            constraint=models.UniqueConstraint(fields=('profile', 'skill'), name='one_link_per_mentor_and_skill'),
        ),
        migrations.AddConstraint(
            model_name='mentorskill',
            constraint=models.CheckConstraint(condition=models.Q(('years__isnull', True), ('years__lte', 80), _connector='OR'), name='years_of_a_working_life'),
        ),
        migrations.AddIndex(
            model_name='mentorprofile',
            index=pgvector.django.indexes.HnswIndex(ef_construction=200, fields=['embedding'], m=16, name='mentor_nearest', opclasses=('halfvec_cosine_ops',)),
        ),
        migrations.AddIndex(
            model_name='mentorprofile',
            index=pgvector.django.indexes.HnswIndex(ef_construction=200, fields=['twin_embedding'], m=16, name='mentor_twin_nearest', opclasses=('halfvec_cosine_ops',)),
        ),
        migrations.AddIndex(
            model_name='mentorprofile',
            index=models.Index(condition=models.Q(('content_hash', models.F('embedded_hash')), _negated=True), fields=['id'], name='mentor_to_embed'),
        ),
        migrations.AddIndex(
            model_name='mentorprofile',
            index=models.Index(condition=models.Q(('content_hash', models.F('twin_embedded_hash')), _negated=True), fields=['id'], name='mentor_twin_to_embed'),
        ),
        migrations.AddIndex(
            model_name='mentorprofile',
            index=models.Index(fields=['state', '-id'], name='mentor_by_state'),
        ),
        migrations.AddIndex(
            model_name='mentorprofile',
            index=models.Index(condition=models.Q(('state', 'applied')), fields=['applied_at'], name='mentor_to_decide'),
        ),
        migrations.AddIndex(
            model_name='mentorprofile',
            index=django.contrib.postgres.indexes.GinIndex(fields=['languages'], name='mentor_languages'),
        ),
        migrations.AddConstraint(
            model_name='mentorprofile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('embedding__isnull', True), ('embedding_model', '')), models.Q(('embedding__isnull', False), models.Q(('embedding_model', ''), _negated=True)), _connector='OR'), name='mentorprofile_vector_names_its_model'),
        ),
        migrations.AddConstraint(
            model_name='mentorprofile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('twin_embedding__isnull', True), ('twin_embedding_model', '')), models.Q(('twin_embedding__isnull', False), models.Q(('twin_embedding_model', ''), _negated=True)), _connector='OR'), name='mentorprofile_twin_names_its_model'),
        ),
        migrations.AddConstraint(
            model_name='mentorprofile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'paused'), models.Q(('paused_because', ''), _negated=True)), models.Q(models.Q(('state', 'paused'), _negated=True), ('paused_because', '')), _connector='OR'), name='paused_mentor_has_its_reason'),
        ),
        migrations.AddConstraint(
            model_name='mentorprofile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ('live', 'paused')), _negated=True), ('live_since__isnull', False), _connector='OR'), name='live_mentor_was_accepted'),
        ),
        migrations.AddConstraint(
            model_name='mentorprofile',
            constraint=models.CheckConstraint(condition=models.Q(('capacity__gte', 1), ('capacity__lte', 1000)), name='mentor_capacity_is_sensible'),
        ),
        migrations.AddIndex(
            model_name='occupiedtime',
            index=django.contrib.postgres.indexes.GistIndex(fields=['person', 'during'], name='occupied_time_of_person'),
        ),
        migrations.AddIndex(
            model_name='occupiedtime',
            index=models.Index(condition=models.Q(('source', 'hold')), fields=['held_until'], name='hold_to_expire'),
        ),
        migrations.AddIndex(
            model_name='occupiedtime',
            index=models.Index(condition=models.Q(('reference__isnull', False)), fields=['reference'], name='occupied_time_by_reference'),
        ),
        migrations.AddConstraint(
            model_name='occupiedtime',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('source__in', ('session', 'hold'))), expressions=[('person', '='), ('during', '&&')], name='nobody_is_booked_twice'),
        ),
        migrations.AddConstraint(
            model_name='occupiedtime',
            constraint=models.CheckConstraint(condition=models.Q(('during__isempty', False), ('during__lower_inc', True), ('during__lower_inf', False), ('during__upper_inc', False), ('during__upper_inf', False)), name='occupied_time_has_two_ends'),
        ),
        migrations.AddConstraint(
            model_name='occupiedtime',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reference__isnull', False), ('session__isnull', False), ('source__in', ('session', 'hold')), ('during__contains', models.F('session'))), models.Q(('is_mentor', False), ('reference__isnull', True), ('session__isnull', True), ('source__in', ('event', 'block'))), _connector='OR'), name='what_was_booked_has_its_reference'),
        ),
        migrations.AddConstraint(
            model_name='occupiedtime',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('held_until__isnull', False), ('source', 'hold')), models.Q(models.Q(('source', 'hold'), _negated=True), ('held_until__isnull', True)), _connector='OR'), name='a_hold_ends'),
        ),
        migrations.AddConstraint(
            model_name='occupiedtime',
            constraint=models.UniqueConstraint(condition=models.Q(('reference__isnull', False)), fields=('person', 'reference'), name='one_place_per_person_and_booking'),
        ),
        migrations.AddIndex(
            model_name='offer',
            index=models.Index(condition=models.Q(('is_active', True)), fields=['price_currency', 'price_amount', 'profile'], name='offer_by_price'),
        ),
        migrations.AddConstraint(
            model_name='offer',
            constraint=models.CheckConstraint(condition=models.Q(('duration_minutes__gte', 5), ('duration_minutes__lte', 720)), name='offer_has_a_sensible_length'),
        ),
        migrations.AddConstraint(
            model_name='offer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('group_size__gte', 2), ('group_size__lte', 500), ('kind', 'group')), models.Q(models.Q(('kind', 'group'), _negated=True), ('group_size', 1)), _connector='OR'), name='only_groups_have_seats'),
        ),
        migrations.AddIndex(
            model_name='schedule',
            index=models.Index(fields=['expanded_until'], name='schedule_to_expand'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(('increment_minutes__gte', 5), ('increment_minutes__lte', 720)), name='sensible_increment'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(('buffer_before_minutes__gte', 0), ('buffer_before_minutes__lte', 180), ('buffer_after_minutes__gte', 0), ('buffer_after_minutes__lte', 180)), name='sensible_buffers'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(('notice_minutes__gte', 0), ('notice_minutes__lte', 86400)), name='sensible_notice'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(('horizon_days__gte', 1), ('horizon_days__lte', 365)), name='sensible_horizon'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(('most_per_day__isnull', True), ('most_per_day__gte', 1), _connector='OR'), name='sensible_most_per_day'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(('most_per_week__isnull', True), ('most_per_week__gte', 1), _connector='OR'), name='sensible_most_per_week'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(('most_per_month__isnull', True), ('most_per_month__gte', 1), _connector='OR'), name='sensible_most_per_month'),
        ),
        migrations.AddConstraint(
            model_name='dateoverride',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('end_minute__isnull', True), ('start_minute__isnull', True)), models.Q(('end_minute__lte', 1440), ('start_minute__lt', models.F('end_minute'))), _connector='OR'), name='override_lies_within_its_day'),
        ),
        migrations.AddConstraint(
            model_name='dateoverride',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('schedule', '='), ('on_date', '='), (mentors.models.availability.MinuteRange(django.db.models.functions.comparison.Coalesce('start_minute', models.Value(0), output_field=models.IntegerField()), django.db.models.functions.comparison.Coalesce('end_minute', models.Value(1440), output_field=models.IntegerField())), '&&')], name='overrides_do_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='travel',
            constraint=models.CheckConstraint(condition=models.Q(('first_on__lte', models.F('last_on'))), name='travel_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='travel',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('schedule', '='), (mentors.models.availability.DateRange('first_on', 'last_on'), '&&')], name='travels_do_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='weeklyhours',
            constraint=models.CheckConstraint(condition=models.Q(('end_minute__lte', 1440), ('start_minute__lt', models.F('end_minute')), ('weekday__lte', 6)), name='weekly_hours_lie_within_a_day'),
        ),
        migrations.AddConstraint(
            model_name='weeklyhours',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('schedule', '='), ('weekday', '='), (mentors.models.availability.MinuteRange('start_minute', 'end_minute'), '&&')], name='weekly_hours_do_not_overlap'),
        ),
    ]
