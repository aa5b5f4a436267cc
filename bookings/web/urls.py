from django.urls import path

from bookings.web import calendar_views, ending_views, figures_views, views

_ONE = "bookings/<uuid:booking_id>"

urlpatterns = [
    path("bookings/", views.SessionsPage.as_view(), name="sessions-page"),
    path(_ONE, views.BookingPage.as_view(), name="booking-page"),
    path(f"{_ONE}/accept", views.AcceptPage.as_view(), name="accept-page"),
    path(f"{_ONE}/decline", views.DeclinePage.as_view(), name="decline-page"),
    path(f"{_ONE}/take-new-time", views.TakeCounterPage.as_view(), name="take-counter-page"),
    path(f"{_ONE}/approve", views.ApprovePage.as_view(), name="approve-page"),
    path(f"{_ONE}/take", views.TakePage.as_view(), name="take-page"),
    path(f"{_ONE}/complete", ending_views.CompletePage.as_view(), name="complete-page"),
    path(f"{_ONE}/no-show", ending_views.NoShowPage.as_view(), name="no-show-page"),
    path(f"{_ONE}/appeal", ending_views.AppealPage.as_view(), name="appeal-page"),
    path(f"{_ONE}/appeal/evidence", ending_views.EvidencePage.as_view(), name="evidence-page"),
    path(f"{_ONE}/appeal/evidence/<uuid:evidence_id>", ending_views.EvidenceFile.as_view(), name="evidence-file"),
    path(f"{_ONE}/cancel", views.CancelPage.as_view(), name="cancel-page"),
    path(f"{_ONE}/new-time", views.NewTimePage.as_view(), name="new-time-page"),
    path(f"{_ONE}/join", views.JoinPage.as_view(), name="join-page"),
    path(f"{_ONE}/calendar.ics", views.CalendarEntry.as_view(), name="calendar-entry"),
    path("calendars/<slug:token>.ics", calendar_views.CalendarFeed.as_view(), name="calendar-file"),
    path("dashboard/requests", views.RequestsPage.as_view(), name="requests-page"),
    path("dashboard/next", views.NextPage.as_view(), name="next-page"),
    path("dashboard/calendar", calendar_views.CalendarPage.as_view(), name="calendar-page"),
    path("dashboard/figures", figures_views.FiguresPage.as_view(), name="figures-page"),
    path("dashboard/settings", views.SettingsPage.as_view(), name="terms-page"),
]
