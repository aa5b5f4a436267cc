from django.urls import path

from bookings.api.v1 import views

urlpatterns = [
    path("bookings", views.BookingsView.as_view(), name="bookings"),
    path("bookings/terms", views.BookingTermsView.as_view(), name="booking-terms"),
    path("bookings/reminders", views.RemindersView.as_view(), name="booking-reminders"),
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
