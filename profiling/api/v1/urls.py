from django.urls import path

from profiling.api.v1 import views

urlpatterns = [
    path("ai-profiling/start", views.StartView.as_view(), name="start-interview"),
    path("ai-profiling/submit-answer", views.SubmitAnswerView.as_view(), name="submit-answer"),
    path("ai-profiling/back", views.BackView.as_view(), name="interview-back"),
    path("ai-profiling/pause", views.PauseView.as_view(), name="interview-pause"),
    path("ai-profiling/interviews/<uuid:session_id>/questions/<int:step>/audio", views.QuestionAudioView.as_view(), name="question-audio"),
    path("ai-profiling/recordings", views.RecordingsView.as_view(), name="recordings"),
    path("ai-profiling/recordings/<uuid:recording_id>", views.RecordingView.as_view(), name="recording"),
    path("ai-profiling/suggestions", views.SuggestionsView.as_view(), name="profile-suggestions"),
    path("ai-profiling/suggestions/<uuid:suggestion_id>", views.SuggestionView.as_view(), name="profile-suggestion"),
    path("ai-profiling/complete", views.CompleteView.as_view(), name="complete-interview"),
    path("ai-profiling/transcribe", views.TranscribeView.as_view(), name="transcribe"),
    path("ai-profiling/speak", views.SpeakView.as_view(), name="speak"),
    path("ai-profiling/profile/inferred", views.InferredView.as_view(), name="inferred"),
    path("ai-profiling/profile", views.ProfileView.as_view(), name="profile"),
    path("opportunities/<uuid:opportunity_id>/why-not", views.WhyNotView.as_view(), name="why-not-recommended"),
    path("opportunities/recommended", views.RecommendationsView.as_view(), name="recommended-opportunities"),
]
