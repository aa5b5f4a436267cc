
import core.models
import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_address_form'),
        ('notifications', '0001_preferences'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Inbox',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('version', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'verbose_name_plural': 'inboxes',
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('kind', models.CharField(max_length=80)),
                ('topic', models.CharField(max_length=40)),
                ('urgency', models.PositiveSmallIntegerField(choices=[(0, 'to many at once'), (1, 'normal'), (2, 'about to happen'), (3, 'safety of the account, or the law asks for it')], default=1)),
                ('data', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('calendar', models.JSONField(blank=True, encoder=django.core.serializers.json.DjangoJSONEncoder, help_text="An entry for the person's calendar.", null=True)),
                ('key', models.CharField(blank=True, default='', max_length=120)),
                ('collapse_key', models.CharField(blank=True, default='', max_length=120)),
                ('count', models.PositiveIntegerField(default=1)),
                ('replaced_at', models.DateTimeField(blank=True, null=True)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveBigIntegerField(default=0, help_text='That of the inbox at its last change.')),
                ('expires_at', models.DateTimeField(blank=True, help_text='When telling it has no sense any more.', null=True)),
                ('about', models.ForeignKey(blank=True, help_text='Who is named in it.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notifications', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('key', ''), _negated=True), fields=('user', 'kind', 'key'), name='told_once_per_key'), models.UniqueConstraint(condition=models.Q(models.Q(('collapse_key', ''), _negated=True), ('read_at__isnull', True), ('replaced_at__isnull', True)), fields=('user', 'kind', 'collapse_key'), name='one_unread_per_collapse_key'), models.CheckConstraint(condition=models.Q(('about__isnull', True), models.Q(('about', models.F('user')), _negated=True), _connector='OR'), name='notification_names_somebody_else'), models.CheckConstraint(condition=models.Q(('count__gte', 1)), name='notification_counts_itself')],
                'indexes': [models.Index(condition=models.Q(('replaced_at__isnull', True)), fields=['user', '-id'], name='notification_newest'), models.Index(condition=models.Q(('read_at__isnull', True), ('replaced_at__isnull', True)), fields=['user'], name='notification_unread'), models.Index(condition=models.Q(('replaced_at__isnull', True)), fields=['user', 'topic', '-id'], name='notification_by_topic'), models.Index(fields=['user', 'version'], name='notification_changed')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('channel', models.CharField(choices=[('push', 'push'), ('email', 'e-mail'), ('sms', 'SMS')], max_length=5)),
                ('urgency', models.PositiveSmallIntegerField(choices=[(0, 'to many at once'), (1, 'normal'), (2, 'about to happen'), (3, 'safety of the account, or the law asks for it')], default=1)),
                ('state', models.CharField(choices=[('queued', 'waiting for a worker'), ('held', 'waiting for the end of quiet hours or for a digest'), ('sent', 'handed over'), ('delivered', 'arrived'), ('bounced', 'came back'), ('suppressed', 'not sent, for a reason'), ('failed', 'given up')], default='queued', max_length=10)),
                ('why', models.CharField(blank=True, choices=[('person_gone', 'the person is suspended or erased'), ('other_gone', 'whom it is about is blocked, suspended or erased'), ('read', 'it was read in the inbox first'), ('replaced', 'a newer one took its place'), ('turned_off', 'the person turned this topic off on this channel'), ('too_late', 'what it tells is over'), ('no_address', 'there is no address left on this channel'), ('unwanted', 'the address bounced, complained or said STOP'), ('over_budget', 'the budget for SMS is spent'), ('unknown_kind', 'no app declares this kind any more'), ('refused', 'the provider refused it'), ('gave_up', 'too many attempts failed'), ('unconfirmed', 'it may have been sent; nothing confirms it')], default='', max_length=12)),
                ('due_at', models.DateTimeField()),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('asked_at', models.DateTimeField(blank=True, help_text='When the provider was last asked to send it.', null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('provider_id', models.CharField(blank=True, default='', max_length=200)),
                ('segments', models.PositiveSmallIntegerField(default=0, help_text='Parts of an SMS, which are what it costs.')),
                ('last_error', models.TextField(blank=True, default='')),
                ('bundled_with', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='bundle', to='notifications.delivery')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('notification', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='notifications.notification')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(fields=('notification', 'channel'), name='one_delivery_per_channel'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ('sent', 'delivered')), _negated=True), ('sent_at__isnull', False), _connector='OR'), name='what_was_sent_has_its_instant'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ('suppressed', 'bounced', 'failed')), _negated=True), models.Q(('why', ''), _negated=True), _connector='OR'), name='what_was_not_sent_says_why'), models.CheckConstraint(condition=models.Q(('claimed_at__isnull', True), ('state__in', ('queued', 'held')), _connector='OR'), name='only_what_waits_is_claimed')],
                'indexes': [models.Index(condition=models.Q(('bundled_with__isnull', True), ('claimed_at__isnull', True), ('state__in', ('queued', 'held'))), fields=['channel', '-urgency', 'due_at'], name='delivery_queue'), models.Index(condition=models.Q(('state__in', ('queued', 'held'))), fields=['user', 'channel'], name='delivery_waiting'), models.Index(condition=models.Q(('claimed_at__isnull', False)), fields=['claimed_at'], name='delivery_claimed'), models.Index(condition=models.Q(('provider_id', ''), _negated=True), fields=['provider_id'], name='delivery_by_provider_id'), models.Index(fields=['state', '-id'], name='delivery_state_newest'), models.Index(condition=models.Q(('segments__gt', 0)), fields=['channel', 'sent_at'], name='delivery_costs')],
            },
        ),
        migrations.CreateModel(
            name='Phone',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('number', models.CharField(help_text='In the international form, such as +4915112345678.', max_length=16)),
                ('code_hash', models.CharField(blank=True, default='', max_length=64)),
                ('code_expires_at', models.DateTimeField(blank=True, null=True)),
                ('code_attempts', models.PositiveSmallIntegerField(default=0)),
                ('verified_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='phone', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('verified_at__isnull', False)), fields=('number',), name='verified_number_is_of_one_person'), models.CheckConstraint(condition=models.Q(('number__regex', '^\\+[1-9][0-9]{6,14}$')), name='number_is_international')],
            },
        ),
        migrations.CreateModel(
            name='PushDevice',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('token', models.CharField(max_length=200, unique=True)),
                ('shows_text', models.BooleanField(default=False, help_text='Whether the lock screen may show what it is about.')),
                ('device', models.ForeignKey(help_text='The sign-in that registered it.', on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.device')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='push_devices', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='PushTicket',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('ticket', models.CharField(blank=True, default='', max_length=100)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('error', models.CharField(blank=True, default='', max_length=60)),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tickets', to='notifications.delivery')),
                ('device', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='notifications.pushdevice')),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(fields=('delivery', 'device'), name='one_ticket_per_delivery_and_device')],
                'indexes': [models.Index(condition=models.Q(('settled_at__isnull', True)), fields=['created_at'], name='push_ticket_open')],
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('channel', models.CharField(choices=[('push', 'push'), ('email', 'e-mail'), ('sms', 'SMS')], max_length=5)),
                ('address_hash', models.CharField(max_length=64)),
                ('reason', models.CharField(choices=[('bounced', 'no such mailbox'), ('complained', 'marked as spam'), ('stopped', 'answered STOP')], max_length=10)),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(fields=('channel', 'address_hash'), name='address_suppressed_once')],
            },
        ),
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('title', models.CharField(max_length=120)),
                ('text', models.CharField(max_length=1000)),
                ('languages', models.CharField(blank=True, default='', help_text='Only to people of these, such as de,en. Empty: all.', max_length=100)),
                ('state', models.CharField(choices=[('draft', 'draft'), ('running', 'being told'), ('done', 'everybody was told'), ('stopped', 'stopped')], default='draft', max_length=7)),
                ('started_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('finished_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('last_id', models.UUIDField(blank=True, editable=False, null=True)),
                ('total', models.PositiveIntegerField(default=0, editable=False)),
                ('done', models.PositiveIntegerField(default=0, editable=False)),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(condition=models.Q(('state', 'running')), fields=['id'], name='announcement_running')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('started_at__isnull', True), ('state', 'draft')), models.Q(models.Q(('state', 'draft'), _negated=True), ('started_at__isnull', False)), _connector='OR'), name='announcement_started')],
            },
        ),
        migrations.CreateModel(
            name='Choice',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('topic', models.CharField(max_length=40)),
                ('channel', models.CharField(choices=[('push', 'push'), ('email', 'e-mail'), ('sms', 'SMS')], max_length=5)),
                ('is_wanted', models.BooleanField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(fields=('user', 'topic', 'channel'), name='one_choice_per_topic_and_channel')],
            },
        ),
    ]
