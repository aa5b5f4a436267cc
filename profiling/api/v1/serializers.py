from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field

from ai.enums import AudioFormat, HearingHint
from ai.services.speech import FASTEST, MOST_CHARACTERS, SLOWEST
from catalog.models import Opportunity
from core import serializers
from core.serializers import QuerySerializer, RequestSerializer
from profiling.enums import ClaimKind, QuestionKind, ReasonKind, RecommendationBasis, Slot
from profiling.models import Claim, Recording, Suggestion
from profiling.selectors import why

_LONGEST_ANSWER = 10_000


class StartRequestSerializer(RequestSerializer):
    mode = serializers.ChoiceField(choices=("text", "voice"), required=False, default="text")
    language = serializers.ChoiceField(choices=("en",), required=False, default="en")


class QuestionSerializer(serializers.Serializer[Any]):
    step = serializers.IntegerField()
    text = serializers.CharField()
    kind = serializers.ChoiceField(choices=QuestionKind.choices)
    options = serializers.ListField(
        child=serializers.CharField(), help_text="Answer with one or more of them, by name or number, or in your own words."
    )
    slot = serializers.ChoiceField(choices=Slot.choices, help_text="What the question is about.")
    audio_url = serializers.SerializerMethodField()
    previous_answer = serializers.CharField(allow_null=True, help_text="What was answered before, after going back.")

    def get_audio_url(self, question: Any) -> str:
        """The question and its options as speech, for the person who is asked."""
        path = reverse("question-audio", args=(self.context["session_id"], question.step))
        return f"{settings.SITE_URL}{path}"


class PositionSerializer(serializers.Serializer[Any]):
    """What every answer about an interview has: where it stands."""

    session_id = serializers.UUIDField(source="interview.id")
    question = serializers.SerializerMethodField()
    progress = serializers.FloatField(min_value=0, max_value=1, help_text="Never runs backwards.")
    is_paused = serializers.SerializerMethodField()

    @extend_schema_field(QuestionSerializer(allow_null=True))
    def get_question(self, position: Any) -> Any:
        if position.question is None:
            return None
        return QuestionSerializer(position.question, context={"session_id": position.interview.pk}).data

    def get_is_paused(self, position: Any) -> bool:
        return position.interview.paused_at is not None

    def step_of(self, position: Any) -> int:
        return position.question.step if position.question else position.interview.step


class InterviewConsentSerializer(serializers.Serializer[Any]):
    """Show this with the first question: answering it is the person's yes."""

    purpose = serializers.CharField(source="text.purpose")
    version = serializers.IntegerField(source="text.version")
    title = serializers.CharField(source="text.title")
    text = serializers.CharField(source="text.text")


class StartedInterviewSerializer(PositionSerializer):
    step = serializers.SerializerMethodField()
    first_question = serializers.CharField(source="question.text", default=None, allow_null=True)
    consent = InterviewConsentSerializer(allow_null=True, help_text="null once the person has agreed.")
    voice_consent = InterviewConsentSerializer(
        allow_null=True, help_text="In voice mode: show this before the microphone opens. Sending a recording is the yes."
    )

    def get_step(self, position: Any) -> int:
        """The step that waits for an answer."""
        return self.step_of(position)


class StepRequestSerializer(RequestSerializer):
    session_id = serializers.UUIDField()
    step = serializers.IntegerField(min_value=1, max_value=1_000, help_text="The step that one is at.")


class SessionRequestSerializer(RequestSerializer):
    session_id = serializers.UUIDField()


class AnswerRequestSerializer(RequestSerializer):
    session_id = serializers.UUIDField()
    step = serializers.IntegerField(min_value=1, max_value=1_000)
    answer_text = serializers.CharField(max_length=_LONGEST_ANSWER)


class AnswerFormSerializer(RequestSerializer):
    """A spoken or a written answer, as a form."""

    session_id = serializers.UUIDField()
    step = serializers.IntegerField(min_value=1, max_value=1_000)
    answer_text = serializers.CharField(max_length=_LONGEST_ANSWER, required=False)
    answer_audio = serializers.FileField(max_length=200, required=False, help_text="In place of answer_text.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("answer_text" in attrs) == ("answer_audio" in attrs):
            raise serializers.ValidationError({"answer_text": "Send either answer_text or answer_audio."}, code="required")
        return attrs


class TranscriptSerializer(serializers.Serializer[Any]):
    """What was heard. Read it back: words in `unclear` may be wrong."""

    text = serializers.CharField(source="transcript.text", allow_blank=True)
    language = serializers.CharField(source="transcript.language", allow_blank=True)
    confidence = serializers.FloatField(source="transcript.confidence", min_value=0, max_value=1)
    unclear = serializers.ListField(child=serializers.CharField(), source="transcript.unclear")
    hint = serializers.SerializerMethodField(help_text="silence, no_speech, unclear, or empty.")
    hint_text = serializers.SerializerMethodField()
    engine = serializers.CharField()
    degraded_because = serializers.CharField(allow_blank=True)

    def get_hint(self, heard: Any) -> str:
        return str(heard.transcript.hint)

    def get_hint_text(self, heard: Any) -> str:
        """The hint in words, to show and to say."""
        return str(HearingHint(heard.transcript.hint).label) if heard.transcript.hint else ""


class TranscribeRequestSerializer(RequestSerializer):
    audio = serializers.FileField(max_length=200)


class SpeakRequestSerializer(RequestSerializer):
    text = serializers.CharField(max_length=MOST_CHARACTERS)
    rate = serializers.FloatField(min_value=SLOWEST, max_value=FASTEST, required=False, default=1.0)
    voice = serializers.ChoiceField(choices=("default",), required=False)
    format = serializers.ChoiceField(
        choices=AudioFormat.choices, required=False, help_text="If not stated, the one that `Accept` prefers, and MP3 among equals."
    )


class SupportSerializer(serializers.Serializer[Any]):
    """Show and say this at once, before anything else."""

    title = serializers.CharField()
    text = serializers.CharField()


class AnsweredStepSerializer(PositionSerializer):
    step = serializers.SerializerMethodField()
    next_question = serializers.CharField(source="question.text", default=None, allow_null=True, help_text="null when enough is known.")
    completed = serializers.SerializerMethodField()
    understood = serializers.ListField(child=serializers.CharField(), help_text="What was taken from this answer; read it back.")
    engine = serializers.CharField(help_text="Which engine read this answer; empty if none had to.")
    degraded_because = serializers.CharField(help_text="Why another engine stood in; empty if none had to.")
    support = SupportSerializer(allow_null=True, help_text="For somebody whose answer sounds like distress.")
    heard = TranscriptSerializer(allow_null=True, help_text="What was heard of a spoken answer.")

    def get_step(self, position: Any) -> int:
        """The step that waits for an answer now."""
        return self.step_of(position)

    def get_completed(self, position: Any) -> bool:
        """Whether enough is known; then call `complete`. One may complete earlier at any time."""
        return position.question is None


class ClaimSerializer(serializers.ModelSerializer[Claim]):
    """One thing that is held about the person: whose word it is, from which sentence, how sure, by which engine and instructions."""

    class Meta:
        model = Claim
        fields = (
            *("id", "kind", "label", "source", "state", "quote", "confidence", "alternatives", "engine", "model", "prompt", "evidence"),
            *("skill_id", "created_at"),
        )
        read_only_fields = fields


class ProfileSerializer(serializers.Serializer[Any]):
    summary = serializers.CharField()
    skills = serializers.SerializerMethodField()
    interests = serializers.SerializerMethodField()
    experience = serializers.SerializerMethodField()
    goals = serializers.SerializerMethodField()
    constraints = serializers.SerializerMethodField()
    access_needs = serializers.SerializerMethodField()
    languages = serializers.SerializerMethodField()
    availability = serializers.SerializerMethodField()
    location = serializers.SerializerMethodField()
    claims = ClaimSerializer(many=True)
    unconfirmed = ClaimSerializer(many=True, help_text="What may be so. It counts nowhere until the person puts it into a list.")

    def _labels(self, profile: Any, kind: ClaimKind) -> list[str]:
        return [claim.label for claim in profile.claims if claim.kind == kind]

    def get_skills(self, profile: Any) -> list[str]:
        return self._labels(profile, ClaimKind.SKILL)

    def get_interests(self, profile: Any) -> list[str]:
        return self._labels(profile, ClaimKind.INTEREST)

    def get_experience(self, profile: Any) -> list[str]:
        return self._labels(profile, ClaimKind.EXPERIENCE)

    def get_goals(self, profile: Any) -> list[str]:
        return self._labels(profile, ClaimKind.GOAL)

    def get_constraints(self, profile: Any) -> list[str]:
        return self._labels(profile, ClaimKind.CONSTRAINT)

    def get_access_needs(self, profile: Any) -> list[str]:
        return self._labels(profile, ClaimKind.ACCESS_NEED)

    def get_languages(self, profile: Any) -> list[str]:
        return self._labels(profile, ClaimKind.LANGUAGE)

    def get_availability(self, profile: Any) -> list[str]:
        return self._labels(profile, ClaimKind.AVAILABILITY)

    def get_location(self, profile: Any) -> list[str]:
        return self._labels(profile, ClaimKind.LOCATION)


class RecordingSerializer(serializers.ModelSerializer[Recording]):
    """What you said to a question, kept because you agreed to it."""

    step = serializers.IntegerField(source="answer.step")
    question = serializers.CharField(source="answer.question")
    text = serializers.CharField(source="answer.text", help_text="What was heard.")
    audio_url = serializers.SerializerMethodField()

    class Meta:
        model = Recording
        fields = ("id", "step", "question", "text", "audio_url", "created_at", "expires_at")
        read_only_fields = fields

    def get_audio_url(self, recording: Recording) -> str:
        """Opus in Ogg, for the person alone."""
        return f"{settings.SITE_URL}{reverse('recording', args=(recording.pk,))}"


class SuggestionSerializer(serializers.ModelSerializer[Suggestion]):
    """The proposal to look at one claim again: which, and why."""

    claim = ClaimSerializer()
    why = serializers.SerializerMethodField()

    class Meta:
        model = Suggestion
        fields = ("id", "reason", "why", "quote", "state", "claim", "created_at")
        read_only_fields = fields

    def get_why(self, suggestion: Suggestion) -> str:
        """The reason in a sentence, to show and to say."""
        return why(suggestion)


class SuggestionListSerializer(serializers.Serializer[Any]):
    """At most one: nobody is asked more than once a month."""

    results = SuggestionSerializer(many=True)


class SuggestionDecisionSerializer(RequestSerializer):
    accept = serializers.BooleanField(help_text="false is remembered for ever.")


class CompletedInterviewSerializer(serializers.Serializer[Any]):
    profile = ProfileSerializer()


class LabelsField(serializers.ListField):
    """Short texts, each once, whatever their case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=300), max_length=100, required=False, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        return list({label.lower(): label for label in super().to_internal_value(data)}.values())


class ProfileChangesSerializer(RequestSerializer):
    """What is given for a kind replaces all that was held of it."""

    summary = serializers.CharField(max_length=2_000, required=False, allow_blank=True)
    skills = LabelsField()
    interests = LabelsField()
    experience = LabelsField()
    goals = LabelsField()
    constraints = LabelsField()
    access_needs = LabelsField()
    languages = LabelsField()
    availability = LabelsField()
    location = LabelsField()


class ReasonSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=ReasonKind.choices)
    text = serializers.CharField()
    share = serializers.FloatField(help_text="How much of what speaks for it this makes, 0 to 1.")


class RecommendationSerializer(serializers.ModelSerializer[Opportunity]):
    """An opportunity with its score and the reasons for it."""

    remote = serializers.BooleanField(source="is_remote", allow_null=True)
    deadline = serializers.DateField(source="deadline_on", allow_null=True)
    url = serializers.CharField(help_text="A web address, or empty where the source has none.")
    category = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)  # type: ignore[var-annotated]
    skills = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)  # type: ignore[var-annotated]
    score = serializers.FloatField(help_text="Comparable within one answer only.")
    reasons = ReasonSerializer(many=True)

    def to_representation(self, recommendation: Any) -> dict[str, Any]:
        opportunity = recommendation.opportunity
        opportunity.score, opportunity.reasons = recommendation.score, recommendation.reasons
        return super().to_representation(opportunity)

    class Meta:
        model = Opportunity
        fields = (
            *("id", "kind", "title", "description", "organisation", "location", "remote", "url", "language", "tags"),
            *("starts_on", "ends_on", "deadline", "category", "skills", "source", "score", "reasons"),
        )
        read_only_fields = fields


class RecommendationListSerializer(serializers.Serializer[Any]):
    basis = serializers.ChoiceField(choices=RecommendationBasis.choices)
    fallbacks = serializers.ListField(child=serializers.CharField(), help_text="Steps that were left out, and why; usually none.")
    recommendations = RecommendationSerializer(many=True)


class CounterfactualSerializer(serializers.Serializer[Any]):
    skills = serializers.ListField(child=serializers.CharField(), help_text="Evidence of all of these would be needed, and of no more.")
    rank = serializers.IntegerField(help_text="Where it would stand, tried out with the real ranker.")


class StandingSerializer(serializers.Serializer[Any]):
    rank = serializers.IntegerField(allow_null=True, help_text="Where it stands for you, counted from 1; null: nowhere near.")
    ranked = serializers.IntegerField(help_text="How many were ranked for you.")
    left_out_because = serializers.CharField(help_text="What keeps it out altogether; empty if nothing does.")
    counterfactual = CounterfactualSerializer(allow_null=True)
    text = serializers.CharField(help_text="The same as a sentence.")


class RecommendationQuerySerializer(QuerySerializer):
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=10)
