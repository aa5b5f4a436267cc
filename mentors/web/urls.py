from django.urls import path, re_path

from mentors.web import check_views, own_views, views

urlpatterns = [
    path("mentors/", views.MentorsPage.as_view(), name="mentors-page"),
    path("mentors/<uuid:mentor_id>", views.MentorPage.as_view(), name="mentor-page"),
    path("dashboard/profile", own_views.ProfilePage.as_view(), name="mentor-profile"),
    path("dashboard/profile/preview", own_views.PreviewPage.as_view(), name="preview-page"),
    re_path(r"^dashboard/profile/(?P<move>apply|pause|resume|leave)$", own_views.ProfileMovePage.as_view(), name="profile-move"),
    path("dashboard/availability", own_views.AvailabilityPage.as_view(), name="availability-page"),
    path("dashboard/availability/blocks", own_views.BlocksPage.as_view(), name="block-page"),
    path("dashboard/availability/blocks/<uuid:block_id>/remove", own_views.UnblockPage.as_view(), name="unblock-page"),
    path("dashboard/checks", check_views.ChecksPage.as_view(), name="checks-page"),
    path("dashboard/checks/<uuid:check_id>", check_views.CheckPage.as_view(), name="check-page"),
    path("dashboard/checks/<uuid:check_id>/documents", check_views.AddDocumentPage.as_view(), name="add-document-page"),
    path(
        "dashboard/checks/<uuid:check_id>/documents/<uuid:document_id>/remove",
        check_views.RemoveDocumentPage.as_view(),
        name="remove-document-page",
    ),
    path("dashboard/checks/<uuid:check_id>/code", check_views.MailCodePage.as_view(), name="mail-code-page"),
    path("dashboard/checks/<uuid:check_id>/code/confirm", check_views.ConfirmCodePage.as_view(), name="confirm-code-page"),
    path("dashboard/checks/<uuid:check_id>/submit", check_views.SubmitCheckPage.as_view(), name="submit-check-page"),
    path("dashboard/checks/<uuid:check_id>/withdraw", check_views.WithdrawCheckPage.as_view(), name="withdraw-check-page"),
    path("dashboard/calendars", own_views.CalendarsPage.as_view(), name="calendars-page"),
    path("dashboard/calendars/link", own_views.CalendarLinkPage.as_view(), name="calendar-link-page"),
    path("dashboard/calendars/<uuid:calendar_id>/remove", own_views.RemoveCalendarPage.as_view(), name="remove-calendar-page"),
    path("dashboard/reviews", own_views.ReviewsPage.as_view(), name="reviews-page"),
    path("dashboard/reviews/<uuid:review_id>/reply", own_views.ReplyPage.as_view(), name="reply-page"),
    path("dashboard/reviews/<uuid:review_id>/write", own_views.WriteReviewPage.as_view(), name="write-review-page"),
]
