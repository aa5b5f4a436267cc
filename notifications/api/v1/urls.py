from django.urls import path

from notifications.api.v1 import address_views, views

urlpatterns = [
    path("notifications", views.NotificationsView.as_view(), name="notifications"),
    path("notifications/unread", views.UnreadView.as_view(), name="unread-notifications"),
    path("notifications/read", views.ReadView.as_view(), name="read-notifications"),
    path("notifications/preferences", views.PreferencesView.as_view(), name="notification-preferences"),
    path("notifications/devices", address_views.PushDevicesView.as_view(), name="push-devices"),
    path("notifications/devices/<uuid:device_id>", address_views.PushDeviceView.as_view(), name="push-device"),
    path("notifications/phone", address_views.PhoneView.as_view(), name="phone"),
    path("notifications/phone/confirm", address_views.PhoneConfirmationView.as_view(), name="confirm-phone"),
    path("notifications/email/resume", address_views.MailResumptionView.as_view(), name="resume-mail"),
    path("notifications/<uuid:notification_id>", views.NotificationView.as_view(), name="notification"),
]
