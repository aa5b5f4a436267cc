from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import NotAcceptable
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from ai.enums import AudioFormat
from ai.services.speech import CONTENT_TYPES, MOST_BYTES
from core.negotiation import accepts
from core.operations import APIView, GenericAPIView
from core.parsers import StrictJSONParser, UploadParser
from profiling import selectors
from profiling.api.v1.serializers import (
    AnsweredStepSerializer,
    AnswerFormSerializer,
    AnswerRequestSerializer,
    CompletedInterviewSerializer,
    ProfileChangesSerializer,
    ProfileSerializer,
    RecommendationListSerializer,
    RecommendationQuerySerializer,
    RecordingSerializer,
    SessionRequestSerializer,
    SpeakRequestSerializer,
    StandingSerializer,
    StartedInterviewSerializer,
    StartRequestSerializer,
    StepRequestSerializer,
    SuggestionDecisionSerializer,
    SuggestionListSerializer,
    SuggestionSerializer,
    TranscribeRequestSerializer,
    TranscriptSerializer,
)
from profiling.enums import ClaimKind
from profiling.models import Recording
from profiling.services import counterfactuals, interview, profile, recordings, suggestions, voice
from profiling.services.recommending import recommend_opportunities

_LISTS = {
    "skills": ClaimKind.SKILL,
    "interests": ClaimKind.INTEREST,
    "experience": ClaimKind.EXPERIENCE,
    "goals": ClaimKind.GOAL,
    "constraints": ClaimKind.CONSTRAINT,
    "access_needs": ClaimKind.ACCESS_NEED,
    "languages": ClaimKind.LANGUAGE,
    "availability": ClaimKind.AVAILABILITY,
    "location": ClaimKind.LOCATION,
}

_RECOMMENDATION = {
    "basis": "profile",
    "fallbacks": [],
    "recommendations": [
        {
            "id": "0197f0a4-3c7e-7b1d-9a55-2f6f3f1f8a11",
            "kind": "open_source",
            "title": "OMRChecker",
            "description": "Evaluate answer sheets with a camera.",
            "organisation": "",
            "location": "",
            "remote": True,
            "url": "https://example.org/omrchecker",
            "language": "en",
            "tags": ["Python"],
            "starts_on": None,
            "ends_on": None,
            "deadline": None,
            "category": "web-and-mobile-development",
            "skills": ["Python"],
            "source": "awesome-for-beginners",
            "score": 0.49,
            "reasons": [{"kind": "skill", "text": "It is about Python, which is one of your strengths or interests.", "share": 0.5}],
        }
    ],
}


class OwnView(APIView):
    """A person's own interview and profile."""

    permission_classes = (IsAuthenticated,)


class StartView(OwnView):
    @extend_schema(
        operation_id="start_interview", tags=["profiling"], request=StartRequestSerializer, responses={201: StartedInterviewSerializer}
    )
    def post(self, request: Request) -> Response:
        """Begin the interview, or go on where it stopped."""
        fields = StartRequestSerializer.read(request)
        position = interview.start_interview(user=person_of(request), language=fields["language"], is_voice=fields["mode"] == "voice")
        return Response(StartedInterviewSerializer(position).data, status=201)


class SubmitAnswerView(OwnView):
    parser_classes = (StrictJSONParser, UploadParser)
    largest_upload = MOST_BYTES

    @extend_schema(
        operation_id="submit_answer",
        tags=["profiling"],
        request={"application/json": AnswerRequestSerializer, "multipart/form-data": AnswerFormSerializer},
        responses={200: AnsweredStepSerializer},
        examples=[
            OpenApiExample(
                "An answer in one's own words",
                {"session_id": "0197f0a4-3c7e-7b1d-9a55-2f6f3f1f8a10", "step": 1, "answer_text": "I repair bikes and I speak Spanish."},
                request_only=True,
            ),
            OpenApiExample(
                "The next question",
                {
                    "session_id": "0197f0a4-3c7e-7b1d-9a55-2f6f3f1f8a10",
                    "step": 2,
                    "next_question": "What do you like to spend time on, even when nobody asks you to?",
                    "question": {
                        "step": 2,
                        "text": "What do you like to spend time on, even when nobody asks you to?",
                        "kind": "text",
                        "options": [],
                        "slot": "interests",
                        "audio_url": "https://soosh.example/api/v1/ai-profiling/interviews/0197f0a4-3c7e-7b1d-9a55-2f6f3f1f8a10/questions/2/audio",
                        "previous_answer": None,
                    },
                    "progress": 0.21,
                    "is_paused": False,
                    "completed": False,
                    "understood": ["Repairing", "Spanish"],
                    "engine": "embedded",
                    "degraded_because": "",
                    "support": None,
                    "heard": None,
                },
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Answer a step in writing or, as a multipart form, aloud. The same answer sent twice counts once.

        Instead of an answer one may say "skip", "back", "repeat" or "pause". After going back, the new answer takes the old one's place.
        """
        is_form = (request.content_type or "").startswith("multipart/")
        fields = (AnswerFormSerializer if is_form else AnswerRequestSerializer).read(request)
        place = {"user": person_of(request), "interview_id": fields["session_id"], "step": fields["step"]}
        if "answer_audio" in fields:
            position = voice.submit_spoken_answer(**place, audio=fields["answer_audio"].read())
        else:
            position = interview.submit_answer(**place, text=fields["answer_text"])
        return Response(AnsweredStepSerializer(position).data)


class BackView(OwnView):
    @extend_schema(operation_id="go_back", tags=["profiling"], request=StepRequestSerializer, responses={200: AnsweredStepSerializer})
    def post(self, request: Request) -> Response:
        """Go to the question before a step, with what you answered. Your next answer to it takes the old one's place."""
        fields = StepRequestSerializer.read(request)
        position = interview.go_back(user=person_of(request), interview_id=fields["session_id"], step=fields["step"])
        return Response(AnsweredStepSerializer(position).data)


class PauseView(OwnView):
    @extend_schema(
        operation_id="pause_interview", tags=["profiling"], request=SessionRequestSerializer, responses={200: AnsweredStepSerializer}
    )
    def post(self, request: Request) -> Response:
        """Stop for now. `start` goes on at the same question, on any device."""
        fields = SessionRequestSerializer.read(request)
        position = interview.pause_interview(user=person_of(request), interview_id=fields["session_id"])
        return Response(AnsweredStepSerializer(position).data)


class QuestionAudioView(OwnView):
    @extend_schema(operation_id="hear_question", tags=["profiling"], responses={(200, "audio/mpeg"): OpenApiTypes.BINARY})
    def get(self, request: Request, session_id: uuid.UUID, step: int) -> HttpResponse:
        """A question of your interview and its options as speech."""
        question = voice.speak_question(user=person_of(request), interview_id=session_id, step=step)
        return HttpResponse(question.audio, content_type=CONTENT_TYPES[AudioFormat.MP3])


class RecordingsView(GenericAPIView[Recording]):
    permission_classes = (IsAuthenticated,)
    filter_backends = ()
    serializer_class = RecordingSerializer

    def get_queryset(self) -> QuerySet[Recording]:
        return Recording.objects.visible_to(self.request.user).select_related("answer")

    @extend_schema(operation_id="list_recordings", tags=["profiling"], responses={200: RecordingSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What you said, for as long as you let us keep it: at most 30 days."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class RecordingView(OwnView):
    @extend_schema(operation_id="hear_recording", tags=["profiling"], responses={(200, "audio/ogg"): OpenApiTypes.BINARY})
    def get(self, request: Request, recording_id: uuid.UUID) -> HttpResponse:
        """A recording of yours, as Opus."""
        audio = recordings.recording_audio(user=person_of(request), recording_id=recording_id)
        return HttpResponse(audio, content_type=CONTENT_TYPES[AudioFormat.OPUS])

    @extend_schema(operation_id="delete_recording", tags=["profiling"], responses={204: None})
    def delete(self, request: Request, recording_id: uuid.UUID) -> Response:
        """Delete a recording of yours. The text stays."""
        recordings.delete_recording(user=person_of(request), recording_id=recording_id)
        return Response(status=204)


class SuggestionsView(OwnView):
    @extend_schema(operation_id="list_profile_suggestions", tags=["profiling"], responses={200: SuggestionListSerializer})
    def get(self, request: Request) -> Response:
        """What in your profile may not be true any more, and why we think so. At most one, at most monthly."""
        return Response(SuggestionListSerializer({"results": selectors.suggestions_for(person_of(request))}).data)


class SuggestionView(OwnView):
    @extend_schema(
        operation_id="decide_profile_suggestion",
        tags=["profiling"],
        request=SuggestionDecisionSerializer,
        responses={200: SuggestionSerializer},
    )
    def patch(self, request: Request, suggestion_id: uuid.UUID) -> Response:
        """Take a suggestion up, or decline it; what you declined is never suggested again."""
        fields = SuggestionDecisionSerializer.read(request)
        decided = suggestions.decide_suggestion(user=person_of(request), suggestion_id=suggestion_id, is_accepted=fields["accept"])
        return Response(SuggestionSerializer(decided).data)


class CompleteView(OwnView):
    @extend_schema(
        operation_id="complete_interview",
        tags=["profiling"],
        request=SessionRequestSerializer,
        responses={200: CompletedInterviewSerializer},
    )
    def post(self, request: Request) -> Response:
        """Finish the interview and get the profile."""
        fields = SessionRequestSerializer.read(request)
        interview.complete_interview(user=person_of(request), interview_id=fields["session_id"])
        return Response(CompletedInterviewSerializer({"profile": selectors.profile_of(person_of(request))}).data)


class ProfileView(OwnView):
    @extend_schema(operation_id="read_profile", tags=["profiling"], responses={200: ProfileSerializer})
    def get(self, request: Request) -> Response:
        """What Soosh holds about you, claim by claim."""
        return Response(ProfileSerializer(selectors.profile_of(person_of(request))).data)

    @extend_schema(operation_id="change_profile", tags=["profiling"], request=ProfileChangesSerializer, responses={200: ProfileSerializer})
    def patch(self, request: Request) -> Response:
        """Your own edit. It wins over everything that was or will be inferred."""
        fields = ProfileChangesSerializer.read(request)
        labels = {kind: fields[name] for name, kind in _LISTS.items() if name in fields}
        profile.edit_profile(user=person_of(request), summary=fields.get("summary"), labels=labels)
        return Response(ProfileSerializer(selectors.profile_of(person_of(request))).data)


class InferredView(OwnView):
    @extend_schema(operation_id="forget_inferred", tags=["profiling"], responses={204: None})
    def delete(self, request: Request) -> Response:
        """Delete everything that was concluded about you, vectors included. What you said yourself stays."""
        profile.forget_inferred(user=person_of(request))
        return Response(status=204)


class TranscribeView(OwnView):
    parser_classes = (UploadParser,)
    largest_upload = MOST_BYTES

    @extend_schema(
        operation_id="transcribe",
        tags=["profiling"],
        request={"multipart/form-data": TranscribeRequestSerializer},
        responses={200: TranscriptSerializer},
    )
    def post(self, request: Request) -> Response:
        """What a recording says: a WAV, MP3, OGG, Opus, FLAC, M4A or WebM of up to 10 MB and two minutes. It is not kept."""
        recording = TranscribeRequestSerializer.read(request)["audio"]
        heard = voice.transcribe_recording(user=person_of(request), audio=recording.read())
        return Response(TranscriptSerializer(heard).data)


class SpeakView(OwnView):
    @extend_schema(
        operation_id="speak",
        tags=["profiling"],
        request=SpeakRequestSerializer,
        responses={(200, content_type): OpenApiTypes.BINARY for content_type in CONTENT_TYPES.values()},
    )
    def post(self, request: Request) -> HttpResponse:
        """Text as speech, in MP3, Opus or WAV, at half to double pace. What is said is the text, word for word."""
        fields = SpeakRequestSerializer.read(request)
        audio_format = _audio_format(request, fields.get("format"))
        spoken = voice.speak_text(user=person_of(request), text=fields["text"], audio_format=audio_format, rate=fields["rate"])
        return HttpResponse(spoken.audio, content_type=CONTENT_TYPES[audio_format])


def _audio_format(request: Request, stated: str | None) -> AudioFormat:
    if stated is None:
        media_type = request.accepted_renderer.media_type  # type: ignore[attr-defined]  # the negotiation chose it
        return next(audio_format for audio_format, name in CONTENT_TYPES.items() if name == media_type)
    if not accepts(request, CONTENT_TYPES[AudioFormat(stated)]):
        raise NotAcceptable
    return AudioFormat(stated)


class RecommendationsView(OwnView):
    @extend_schema(
        operation_id="recommend_opportunities",
        tags=["profiling"],
        parameters=[RecommendationQuerySerializer],
        responses={200: RecommendationListSerializer},
        examples=[OpenApiExample("One recommendation", _RECOMMENDATION, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request) -> HttpResponse:
        """Opportunities that fit you, with the reasons."""
        asked = RecommendationQuerySerializer.read(request)
        found = recommend_opportunities(user=person_of(request), limit=asked["page_size"])
        return HttpResponse(found.as_json(), content_type="application/json")


class WhyNotView(OwnView):
    @extend_schema(operation_id="why_not_recommended", tags=["profiling"], responses={200: StandingSerializer})
    def get(self, request: Request, opportunity_id: uuid.UUID) -> Response:
        """Why an opportunity is not further up for you, and evidence of which skills would bring it there."""
        standing = counterfactuals.standing_of(user=person_of(request), opportunity_id=opportunity_id)
        return Response(StandingSerializer(standing).data)
