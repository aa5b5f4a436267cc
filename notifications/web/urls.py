from django.urls import path

from notifications.web import views

urlpatterns = [
    path("unsubscribe/<str:token>/", views.UnsubscribePage.as_view(), name="unsubscribe"),
]
