from django.urls import path

from accounts.web import views

urlpatterns = [path("verify-email/<str:key>", views.VerifyEmailPage.as_view(), name="verify-email-page")]
