from django.urls import path

from bookings.api.v1 import series_views, session_views, views

urlpatterns = [
    path("bookings", views.BookingsView.as_view(), name="bookings"),
    path("bookings/terms", views.BookingTermsView.as_view(), name="booking-terms"),
    path("bookings/reminders", views.RemindersView.as_view(), name="booking-reminders"),
    path("bookings/sessions", session_views.SessionsView.as_view(), name="group-sessions"),
    path("bookings/sessions/<uuid:group_id>", session_views.SessionView.as_view(), name="group-session"),
    path("bookings/sessions/<uuid:group_id>/book", session_views.BookSeatView.as_view(), name="book-seat"),
    path("bookings/sessions/<uuid:group_id>/cancel", session_views.CancelSessionView.as_view(), name="cancel-session"),
    path("bookings/series", series_views.SeriesListView.as_view(), name="series-list"),
    path("bookings/series/<uuid:series_id>", series_views.SeriesView.as_view(), name="series"),
    path("bookings/series/<uuid:series_id>/confirm", series_views.ConfirmSeriesView.as_view(), name="confirm-series"),
    path("bookings/series/<uuid:series_id>/decline", series_views.DeclineSeriesView.as_view(), name="decline-series"),
    path("bookings/series/<uuid:series_id>/cancel", series_views.CancelSeriesView.as_view(), name="cancel-series"),
    path("bookings/series/<uuid:series_id>/reschedule", series_views.MoveSeriesView.as_view(), name="reschedule-series"),
    path("bookings/<uuid:booking_id>", views.BookingView.as_view(), name="booking"),
    path("bookings/<uuid:booking_id>/confirm", views.ConfirmView.as_view(), name="confirm-booking"),
    path("bookings/<uuid:booking_id>/decline", views.DeclineView.as_view(), name="decline-booking"),
    path("bookings/<uuid:booking_id>/counter", views.CounterView.as_view(), name="counter-booking"),
    path("bookings/<uuid:booking_id>/accept-counter", views.AcceptCounterView.as_view(), name="accept-counter"),
    path("bookings/<uuid:booking_id>/approve", views.ApproveView.as_view(), name="approve-booking"),
    path("bookings/<uuid:booking_id>/cancellation-quote", views.QuoteView.as_view(), name="cancellation-quote"),
    path("bookings/<uuid:booking_id>/cancel", views.CancelView.as_view(), name="cancel-booking"),
    path("bookings/<uuid:booking_id>/reschedule", views.RescheduleView.as_view(), name="reschedule-booking"),
    path("bookings/<uuid:booking_id>/complete", views.CompleteView.as_view(), name="complete-booking"),
    path("bookings/<uuid:booking_id>/no-show", views.NoShowView.as_view(), name="no-show-booking"),
    path("bookings/<uuid:booking_id>/appeal", views.AppealView.as_view(), name="appeal-no-show"),
    path("bookings/<uuid:booking_id>/join", views.JoinView.as_view(), name="join-session"),
    path("bookings/<uuid:booking_id>/stay", views.StayView.as_view(), name="record-stay"),
    path("bookings/<uuid:booking_id>/calendar.ics", views.CalendarFileView.as_view(), name="booking-calendar"),
]
