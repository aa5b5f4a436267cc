from django.urls import path, re_path

from mentors.web import own_views, views

urlpatterns = [
    path("calendars/<slug:token>.ics", views.CalendarFile.as_view(), name="calendar-file"),
    path("mentors/", views.MentorsPage.as_view(), name="mentors-page"),
    path("mentors/<uuid:mentor_id>", views.MentorPage.as_view(), name="mentor-page"),
    path("dashboard/profile", own_views.ProfilePage.as_view(), name="mentor-profile"),
    path("dashboard/profile/preview", own_views.PreviewPage.as_view(), name="preview-page"),
    re_path(r"^dashboard/profile/(?P<move>apply|pause|resume|leave)$", own_views.ProfileMovePage.as_view(), name="profile-move"),
    path("dashboard/availability", own_views.AvailabilityPage.as_view(), name="availability-page"),
    path("dashboard/availability/blocks", own_views.BlocksPage.as_view(), name="block-page"),
    path("dashboard/availability/blocks/<uuid:block_id>/remove", own_views.UnblockPage.as_view(), name="unblock-page"),
    path("dashboard/calendars", own_views.CalendarsPage.as_view(), name="calendars-page"),
    path("dashboard/calendars/link", own_views.CalendarLinkPage.as_view(), name="calendar-link-page"),
    path("dashboard/calendars/<uuid:calendar_id>/remove", own_views.RemoveCalendarPage.as_view(), name="remove-calendar-page"),
    path("dashboard/reviews", own_views.ReviewsPage.as_view(), name="reviews-page"),
    path("dashboard/reviews/<uuid:review_id>/reply", own_views.ReplyPage.as_view(), name="reply-page"),
    path("dashboard/reviews/<uuid:review_id>/write", own_views.WriteReviewPage.as_view(), name="write-review-page"),
]
