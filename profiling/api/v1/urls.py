from django.urls import include, path

from profiling.api.v1 import views

_AI_PROFILING = [
    path("start", views.StartView.as_view(), name="start-interview"),
    path("submit-answer", views.SubmitAnswerView.as_view(), name="submit-answer"),
    path("back", views.BackView.as_view(), name="interview-back"),
    path("pause", views.PauseView.as_view(), name="interview-pause"),
    path("interviews/<uuid:session_id>/questions/<int:step>/audio", views.QuestionAudioView.as_view(), name="question-audio"),
    path("recordings", views.RecordingsView.as_view(), name="recordings"),
    path("recordings/<uuid:recording_id>", views.RecordingView.as_view(), name="recording"),
    path("suggestions", views.SuggestionsView.as_view(), name="profile-suggestions"),
    path("suggestions/<uuid:suggestion_id>", views.SuggestionView.as_view(), name="profile-suggestion"),
    path("complete", views.CompleteView.as_view(), name="complete-interview"),
    path("transcribe", views.TranscribeView.as_view(), name="transcribe"),
    path("speak", views.SpeakView.as_view(), name="speak"),
    path("profile/inferred", views.InferredView.as_view(), name="inferred"),
    path("profile", views.ProfileView.as_view(), name="profile"),
]

urlpatterns = [
    path("ai-profiling/", include(_AI_PROFILING)),
    path("opportunities/<uuid:opportunity_id>/why-not", views.WhyNotView.as_view(), name="why-not-recommended"),
    path("opportunities/recommended", views.RecommendationsView.as_view(), name="recommended-opportunities"),
]
