from django.urls import path

from notifications.api.v1 import views

urlpatterns = [
    path("notifications/preferences", views.PreferencesView.as_view(), name="notification-preferences"),
]
