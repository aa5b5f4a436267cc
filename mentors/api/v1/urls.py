from django.urls import include, path

from mentors.api.v1 import check_views, match_views, own_views, review_views, views

_OWN = [
    path("apply", own_views.ApplyView.as_view(), name="apply-as-mentor"),
    path("pause", own_views.PauseView.as_view(), name="pause-mentoring"),
    path("resume", own_views.ResumeView.as_view(), name="resume-mentoring"),
    path("leave", own_views.LeaveView.as_view(), name="leave-mentoring"),
    path("availability", own_views.AvailabilityView.as_view(), name="own-availability"),
    path("availability/time-zone", own_views.ZoneChangeView.as_view(), name="own-time-zone"),
    path("advice", match_views.AdviceView.as_view(), name="match-advice"),
    path("blocks", own_views.BlocksView.as_view(), name="time-blocks"),
    path("blocks/<uuid:block_id>", own_views.BlockView.as_view(), name="time-block"),
    path("calendars", own_views.CalendarsView.as_view(), name="calendars"),
    path("calendars/find", own_views.FindCalendarsView.as_view(), name="find-calendars"),
    path("calendars/<uuid:calendar_id>", own_views.CalendarView.as_view(), name="calendar"),
    path("checks", check_views.ChecksView.as_view(), name="own-checks"),
    path("checks/<uuid:check_id>", check_views.CheckView.as_view(), name="own-check"),
    path("checks/<uuid:check_id>/code", check_views.CheckCodeView.as_view(), name="check-code"),
    path("checks/<uuid:check_id>/documents", check_views.CheckDocumentsView.as_view(), name="check-documents"),
    path("checks/<uuid:check_id>/documents/<uuid:document_id>", check_views.CheckDocumentView.as_view(), name="check-document"),
    path("checks/<uuid:check_id>/submit", check_views.SubmitCheckView.as_view(), name="submit-check"),
    path("calendar-link", own_views.CalendarLinkView.as_view(), name="calendar-link"),
]

urlpatterns = [
    path("mentors", views.MentorsView.as_view(), name="mentors"),
    path("mentors/matches", match_views.MatchesView.as_view(), name="matches"),
    path("mentors/<uuid:mentor_id>/standing", match_views.MatchStandingView.as_view(), name="match-standing"),
    path("mentors/me", own_views.OwnMentorView.as_view(), name="own-mentor"),
    path("mentors/me/", include(_OWN)),
    path("mentors/<uuid:mentor_id>", views.MentorView.as_view(), name="mentor"),
    path("mentors/<uuid:mentor_id>/reviews", review_views.MentorReviewsView.as_view(), name="mentor-reviews"),
    path("mentors/<uuid:mentor_id>/slots", views.SlotsView.as_view(), name="slots"),
    path("mentors/<uuid:mentor_id>/slots/why", views.WhyView.as_view(), name="why-no-slot"),
    path("reviews/to-write", review_views.ReviewsToWriteView.as_view(), name="reviews-to-write"),
    path("reviews/received", review_views.ReviewsReceivedView.as_view(), name="reviews-received"),
    path("reviews/<uuid:review_id>", review_views.ReviewView.as_view(), name="review"),
    path("reviews/<uuid:review_id>/reply", review_views.ReplyView.as_view(), name="review-reply"),
    path("reviews/<uuid:review_id>/report", review_views.ReportReviewView.as_view(), name="report-review"),
]
