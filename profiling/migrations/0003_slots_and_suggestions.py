import core.models
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def bring_up_to_date(apps, schema_editor):
    """Give answers that were read a meaning, and interviews under way the question that they stand at."""
    Answer = apps.get_model("profiling", "Answer")
    told = apps.get_model("profiling", "Claim").objects.exclude(answer=None).values("answer_id")
    read = Answer.objects.exclude(read_at=None)
    read.filter(id__in=told).update(meaning="told")
    read.filter(meaning="").update(meaning="unclear")
    for slot, question in _QUESTIONS.items():
        apps.get_model("profiling", "Interview").objects.filter(state="active", slot=slot).update(question=question)


_QUESTIONS = {
    "skills": "What are you good at? Think of things that people ask you for help with, at work, at school or at home.",
    "interests": "What do you like to spend time on, even when nobody asks you to?",
    "experience": "What have you done so far? Jobs, studies, projects and looking after family all count.",
    "goals": "Where would you like to be in a year or two?",
    "constraints": "Is there anything that an opportunity has to respect? For example money, travel or working from home.",
}


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0001_initial'),
        ('profiling', '0002_distress'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Suggestion',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('reason', models.CharField(choices=[('contradiction', 'an answer contradicts it'), ('age', 'it is old')], max_length=15)),
                ('quote', models.TextField(blank=True, default='', help_text='The words that contradict the claim.')),
                ('state', models.CharField(choices=[('open', 'open'), ('accepted', 'accepted'), ('declined', 'declined')], default='open', max_length=10)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.RemoveConstraint(
            model_name='claim',
            name='inferred_claim_has_its_quote',
        ),
        migrations.RemoveField(
            model_name='interview',
            name='follow_ups',
        ),
        migrations.AddField(
            model_name='answer',
            name='confirms',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='profiling.claim'),
        ),
        migrations.AddField(
            model_name='answer',
            name='meaning',
            field=models.CharField(blank=True, choices=[('told', 'told something'), ('unclear', 'told nothing that was understood'), ('nothing', 'said that there is nothing'), ('skipped', 'skipped the question')], default='', max_length=8),
        ),
        migrations.AddField(
            model_name='answer',
            name='options',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), blank=True, default=list, size=None),
        ),
        migrations.AddField(
            model_name='answer',
            name='prompt',
            field=models.CharField(blank=True, default='', max_length=40),
        ),
        migrations.AddField(
            model_name='answer',
            name='question_kind',
            field=models.CharField(choices=[('text', 'free text'), ('choice', "one or more of the options, or one's own words"), ('confirm', 'which of the options was meant, or none of them')], default='text', max_length=8),
        ),
        migrations.AddField(
            model_name='answer',
            name='reading_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='claim',
            name='alternatives',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), blank=True, default=list, help_text='What else may have been meant.', size=None),
        ),
        migrations.AddField(
            model_name='claim',
            name='evidence',
            field=models.CharField(blank=True, default='', help_text='What proves a verified claim, as kind:id.', max_length=200),
        ),
        migrations.AddField(
            model_name='claim',
            name='prompt',
            field=models.CharField(blank=True, default='', max_length=40),
        ),
        migrations.AddField(
            model_name='interview',
            name='confirms',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='profiling.claim'),
        ),
        migrations.AddField(
            model_name='interview',
            name='correcting',
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='interview',
            name='options',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), blank=True, default=list, size=None),
        ),
        migrations.AddField(
            model_name='interview',
            name='paused_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='interview',
            name='progress',
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name='interview',
            name='question',
            field=models.TextField(blank=True, default=''),
        ),
        migrations.AddField(
            model_name='interview',
            name='question_kind',
            field=models.CharField(choices=[('text', 'free text'), ('choice', "one or more of the options, or one's own words"), ('confirm', 'which of the options was meant, or none of them')], default='text', max_length=8),
        ),
        migrations.AlterField(
            model_name='answer',
            name='slot',
            field=models.CharField(choices=[('skills', 'what they can do'), ('interests', 'what they like'), ('experience', 'what they have done'), ('goals', 'what they want'), ('constraints', 'what has to be respected'), ('access_needs', 'what they need to take part'), ('languages', 'which languages they speak'), ('availability', 'when they have time'), ('location', 'where they are')], max_length=12),
        ),
        migrations.AlterField(
            model_name='claim',
            name='kind',
            field=models.CharField(choices=[('skill', 'skill'), ('interest', 'interest'), ('experience', 'experience'), ('goal', 'goal'), ('constraint', 'constraint'), ('access_need', 'access need'), ('language', 'language'), ('availability', 'availability'), ('location', 'location')], max_length=12),
        ),
        migrations.AlterField(
            model_name='claim',
            name='source',
            field=models.CharField(choices=[('inferred', 'inferred from an answer'), ('mine', 'stated by the person'), ('verified', 'stated by the person and proven by evidence')], max_length=10),
        ),
        migrations.AlterField(
            model_name='claim',
            name='state',
            field=models.CharField(choices=[('active', 'active'), ('proposed', "not sure, waits for the person's word"), ('rejected', 'rejected by the person')], default='active', max_length=10),
        ),
        migrations.AlterField(
            model_name='interview',
            name='slot',
            field=models.CharField(blank=True, choices=[('skills', 'what they can do'), ('interests', 'what they like'), ('experience', 'what they have done'), ('goals', 'what they want'), ('constraints', 'what has to be respected'), ('access_needs', 'what they need to take part'), ('languages', 'which languages they speak'), ('availability', 'when they have time'), ('location', 'where they are')], default='', max_length=12),
        ),
        migrations.RunPython(bring_up_to_date, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('source', 'inferred'), _negated=True), models.Q(('quote', ''), _negated=True), _connector='OR'), name='inferred_claim_has_its_quote'),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.CheckConstraint(condition=models.Q(('source', 'verified'), ('evidence', ''), _connector='XOR'), name='verified_claim_has_its_evidence'),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'proposed'), _negated=True), ('source', 'inferred'), _connector='OR'), name='only_engines_propose_claims'),
        ),
        migrations.AddConstraint(
            model_name='interview',
            constraint=models.CheckConstraint(condition=models.Q(('progress__gte', 0), ('progress__lte', 1)), name='progress_is_a_share'),
        ),
        migrations.AddConstraint(
            model_name='interview',
            constraint=models.CheckConstraint(condition=models.Q(('correcting__isnull', True), ('correcting__lt', models.F('step')), _connector='OR'), name='only_earlier_steps_are_corrected'),
        ),
        migrations.AddField(
            model_name='suggestion',
            name='claim',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='suggestions', to='profiling.claim'),
        ),
        migrations.AddField(
            model_name='suggestion',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='profile_suggestions', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='suggestion',
            index=models.Index(fields=['user', '-created_at'], name='suggestions_of_a_person'),
        ),
        migrations.AddConstraint(
            model_name='suggestion',
            constraint=models.UniqueConstraint(fields=('claim', 'reason'), name='one_suggestion_per_claim_and_reason'),
        ),
        migrations.AddConstraint(
            model_name='suggestion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('user',), name='one_open_suggestion_per_person'),
        ),
        migrations.AddConstraint(
            model_name='suggestion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='decided_suggestion_has_its_instant'),
        ),
    ]
