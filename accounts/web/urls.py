from django.urls import path

from accounts.web import invitation_views, views

urlpatterns = [
    path("sign-in/", views.SignInPage.as_view(), name="sign-in"),
    path("sign-up/", views.SignUpPage.as_view(), name="sign-up"),
    path("sign-in/mail", views.MailedCodePage.as_view(), name="mailed-code"),
    path("sign-in/passkey", views.PasskeyView.as_view(), name="passkey-sign-in"),
    path("sign-in/socket", views.SocketTokenView.as_view(), name="socket-token"),
    path("sign-in/second-step", views.SecondStepPage.as_view(), name="second-step"),
    path("sign-in/code/<str:key>", views.LoginCodePage.as_view(), name="login-code-page"),
    path("sign-in/<slug:provider>", views.ProviderPage.as_view(), name="provider"),
    path("sign-in/<slug:provider>/callback", views.ProviderCallbackPage.as_view(), name="provider-callback"),
    path("sign-out/", views.SignOutPage.as_view(), name="sign-out"),
    path("verify-email/<str:key>", views.VerifyEmailPage.as_view(), name="verify-email-page"),
    path("reset-password/", views.RequestResetPage.as_view(), name="request-reset-page"),
    path("reset-password/<str:key>", views.ResetPasswordPage.as_view(), name="reset-password-page"),
    path("keep-account/<str:key>", views.KeepAccountPage.as_view(), name="keep-account"),
    path("no-invitations/<str:token>/", invitation_views.NoInvitationsPage.as_view(), name="no-invitations"),
    path("guardian/<str:key>", views.GuardianPage.as_view(), name="guardian-page"),
]
