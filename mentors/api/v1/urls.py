from django.urls import include, path

from mentors.api.v1 import own_views, views

_OWN = [
    path("apply", own_views.ApplyView.as_view(), name="apply-as-mentor"),
    path("pause", own_views.PauseView.as_view(), name="pause-mentoring"),
    path("resume", own_views.ResumeView.as_view(), name="resume-mentoring"),
    path("leave", own_views.LeaveView.as_view(), name="leave-mentoring"),
    path("availability", own_views.AvailabilityView.as_view(), name="own-availability"),
    path("availability/time-zone", own_views.ZoneChangeView.as_view(), name="own-time-zone"),
    path("blocks", own_views.BlocksView.as_view(), name="time-blocks"),
    path("blocks/<uuid:block_id>", own_views.BlockView.as_view(), name="time-block"),
    path("calendars", own_views.CalendarsView.as_view(), name="calendars"),
    path("calendars/find", own_views.FindCalendarsView.as_view(), name="find-calendars"),
    path("calendars/<uuid:calendar_id>", own_views.CalendarView.as_view(), name="calendar"),
    path("calendar-link", own_views.CalendarLinkView.as_view(), name="calendar-link"),
]

urlpatterns = [
    path("mentors", views.MentorsView.as_view(), name="mentors"),
    path("mentors/me", own_views.OwnMentorView.as_view(), name="own-mentor"),
    path("mentors/me/", include(_OWN)),
    path("mentors/<uuid:mentor_id>", views.MentorView.as_view(), name="mentor"),
    path("mentors/<uuid:mentor_id>/slots", views.SlotsView.as_view(), name="slots"),
    path("mentors/<uuid:mentor_id>/slots/why", views.WhyView.as_view(), name="why-no-slot"),
]
