import core.models
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0003_twin_queues'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Organisation',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('slug', models.SlugField(max_length=100, unique=True)),
                ('name', models.CharField(max_length=300)),
                ('website', models.URLField(blank=True, default='', max_length=500)),
                ('state', models.CharField(choices=[('pending', 'not yet checked: what it posts waits for a look by staff'), ('verified', 'checked by staff: what it posts is live at once'), ('suspended', 'may not post, and nothing of it is shown')], default='pending', max_length=10)),
                ('verified_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='OrganisationMember',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('role', models.CharField(choices=[('owner', 'posts, and decides who else does'), ('poster', 'posts')], default='poster', max_length=10)),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='PostingReview',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('state', models.CharField(choices=[('open', 'open'), ('approved', 'approved'), ('rejected', 'rejected')], default='open', max_length=10)),
                ('signals', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('new_poster', 'its organisation has not been checked yet'), ('near_duplicate', 'it says nearly the same as another one'), ('asks_for_money', 'it asks applicants to pay'), ('untraceable_payment', 'it speaks of wire transfers, gift cards or crypto money'), ('asks_for_identity', 'it asks for bank details, passports or social security numbers up front'), ('private_contact', 'it wants applicants on a messenger or a private address'), ('too_good', 'it promises much money for little or no work'), ('multi_level', 'it pays for bringing in others'), ('hidden_address', 'its address is shortened or a bare number'), ('shouting', 'it shouts')], max_length=20), default=list, size=None)),
                ('excerpts', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), default=list, help_text='The words behind the signals, in their order.', size=None)),
                ('note', models.CharField(blank=True, default='', help_text='Told to the poster.', max_length=1000)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='Reaction',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('saved_at', models.DateTimeField(blank=True, null=True)),
                ('dismissed_at', models.DateTimeField(blank=True, null=True)),
                ('dismissed_because', models.CharField(blank=True, choices=[('not_interested', 'does not interest me'), ('not_qualified', 'I lack what it asks for'), ('wrong_place', 'wrong place'), ('wrong_time', 'wrong time'), ('suspicious', 'it looks like a scam'), ('other', 'another reason')], default='', max_length=15)),
                ('applied_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.AddField(
            model_name='category',
            name='successors',
            field=models.ManyToManyField(blank=True, related_name='predecessors', to='catalog.category'),
        ),
        migrations.AddField(
            model_name='category',
            name='translations',
            field=models.JSONField(blank=True, default=dict, help_text='The name in other languages, by language code.'),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='confirmation_asked_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='confirmed_at',
            field=models.DateTimeField(default=django.utils.timezone.now, help_text='When its poster, or its source, last said that it stands.'),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='deadline_zone',
            field=models.CharField(default='UTC', help_text='The IANA time zone in which the dates are meant.', max_length=64),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='duplicate_of',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='catalog.opportunity'),
        ),
        migrations.AddField(
            model_name='skill',
            name='successors',
            field=models.ManyToManyField(blank=True, related_name='predecessors', to='catalog.skill'),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='published_at',
            field=models.DateTimeField(blank=True, default=django.utils.timezone.now, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='sketch',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, editable=False, size=None),
        ),
        migrations.AddField(
            model_name='skill',
            name='same_as',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), blank=True, default=list, help_text="Ids of the same skill in other taxonomies, such as ESCO's URI.", size=None),
        ),
        migrations.AddField(
            model_name='skill',
            name='translations',
            field=models.JSONField(blank=True, default=dict, help_text='The name in other languages, by language code.'),
        ),
        migrations.AlterField(
            model_name='category',
            name='state',
            field=models.CharField(choices=[('active', 'active'), ('retired', 'retired by its source'), ('replaced', 'replaced by its successors')], default='active', max_length=10),
        ),
        migrations.AlterField(
            model_name='occupation',
            name='state',
            field=models.CharField(choices=[('active', 'active'), ('retired', 'retired by its source'), ('replaced', 'replaced by its successors')], default='active', max_length=10),
        ),
        migrations.AlterField(
            model_name='opportunity',
            name='state',
            field=models.CharField(choices=[('draft', 'draft, seen by its poster alone'), ('review', 'waits for a look by staff'), ('live', 'live'), ('paused', 'taken down for a while by its poster, or because nobody confirmed it'), ('expired', 'its deadline or its end has passed'), ('closed', 'closed for good'), ('retired', 'retired by its source')], default='live', max_length=10),
        ),
        migrations.AlterField(
            model_name='skill',
            name='state',
            field=models.CharField(choices=[('active', 'active'), ('retired', 'retired by its source'), ('replaced', 'replaced by its successors')], default='active', max_length=10),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='posting_organisation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='opportunities', to='catalog.organisation'),
        ),
        migrations.AddField(
            model_name='opportunity',
            name='open_until',
            field=models.GeneratedField(db_persist=True, expression=models.Func(models.F('deadline_zone'), models.Func(models.F('deadline_on'), models.F('ends_on'), output_field=models.DateTimeField(), template='((LEAST(%(expressions)s) + 1)::timestamp)'), function='timezone', output_field=models.DateTimeField(null=True)), null=True, output_field=models.DateTimeField(null=True)),
        ),
        migrations.AddIndex(
            model_name='opportunity',
            index=models.Index(condition=models.Q(('state', 'live')), fields=['open_until'], name='opportunity_to_expire'),
        ),
        migrations.AddIndex(
            model_name='opportunity',
            index=models.Index(condition=models.Q(('state', 'live')), fields=['confirmed_at'], name='opportunity_to_confirm'),
        ),
        migrations.AddIndex(
            model_name='opportunity',
            index=models.Index(fields=['posting_organisation', '-id'], name='opportunity_by_poster'),
        ),
        migrations.AddIndex(
            model_name='opportunity',
            index=django.contrib.postgres.indexes.GinIndex(fields=['sketch'], name='opportunity_sketch'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'live'), _negated=True), ('published_at__isnull', False), _connector='OR'), name='live_opportunity_was_published'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.CheckConstraint(condition=models.Q(('duplicate_of', models.F('id')), _negated=True), name='opportunity_is_not_its_own_duplicate'),
        ),
        migrations.AddField(
            model_name='organisationmember',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='catalog.organisation'),
        ),
        migrations.AddField(
            model_name='organisationmember',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='organisation_memberships', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='organisation',
            name='members',
            field=models.ManyToManyField(related_name='+', through='catalog.OrganisationMember', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='postingreview',
            name='decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='postingreview',
            name='opportunity',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reviews', to='catalog.opportunity'),
        ),
        migrations.AddField(
            model_name='reaction',
            name='opportunity',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reactions', to='catalog.opportunity'),
        ),
        migrations.AddField(
            model_name='reaction',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reactions', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='organisationmember',
            constraint=models.UniqueConstraint(fields=('organisation', 'user'), name='one_membership_per_person_and_organisation'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'verified'), _negated=True), ('verified_at__isnull', False), _connector='OR'), name='verified_organisation_has_its_instant'),
        ),
        migrations.AddIndex(
            model_name='postingreview',
            index=models.Index(fields=['state', '-id'], name='review_queue'),
        ),
        migrations.AddConstraint(
            model_name='postingreview',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('opportunity',), name='one_open_review_per_posting'),
        ),
        migrations.AddConstraint(
            model_name='postingreview',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='decided_review_has_its_instant'),
        ),
        migrations.AddIndex(
            model_name='reaction',
            index=models.Index(condition=models.Q(('saved_at__isnull', False)), fields=['user', '-saved_at'], name='reaction_saved'),
        ),
        migrations.AddIndex(
            model_name='reaction',
            index=models.Index(condition=models.Q(('dismissed_at__isnull', False)), fields=['user', '-dismissed_at'], name='reaction_dismissed'),
        ),
        migrations.AddIndex(
            model_name='reaction',
            index=models.Index(condition=models.Q(('applied_at__isnull', False)), fields=['user', '-applied_at'], name='reaction_applied'),
        ),
        migrations.AddConstraint(
            model_name='reaction',
            constraint=models.UniqueConstraint(fields=('user', 'opportunity'), name='one_reaction_per_person_and_opportunity'),
        ),
        migrations.AddConstraint(
            model_name='reaction',
            constraint=models.CheckConstraint(condition=models.Q(('saved_at__isnull', False), ('dismissed_at__isnull', False), ('applied_at__isnull', False), _connector='OR'), name='reaction_is_one'),
        ),
        migrations.AddConstraint(
            model_name='reaction',
            constraint=models.CheckConstraint(condition=models.Q(('saved_at__isnull', True), ('dismissed_at__isnull', True), _connector='OR'), name='nothing_is_saved_and_dismissed'),
        ),
        migrations.AddConstraint(
            model_name='reaction',
            constraint=models.CheckConstraint(condition=models.Q(('dismissed_because', ''), ('dismissed_at__isnull', False), _connector='OR'), name='only_what_is_dismissed_has_a_reason_for_it'),
        ),
    ]
