from django.urls import include, path

from accounts.api.v1.views import people, safety, sign_in

_AUTH = [
    path("register", sign_in.RegisterView.as_view(), name="register"),
    path("verify-email", sign_in.VerifyEmailView.as_view(), name="verify-email"),
    path("verify-email/resend", sign_in.ResendVerificationView.as_view(), name="resend-verification"),
    path("login", sign_in.LoginView.as_view(), name="login"),
    path("login/second-factor", sign_in.SecondFactorLoginView.as_view(), name="login-second-factor"),
    path("login/code", sign_in.LoginCodeView.as_view(), name="login-code"),
    path("login/code/confirm", sign_in.CodeLoginView.as_view(), name="login-code-confirm"),
    path("login/passkey", sign_in.PasskeyLoginView.as_view(), name="login-passkey"),
    path("social", sign_in.WaysInView.as_view(), name="ways-in"),
    path("social/<slug:provider>", sign_in.SocialLoginView.as_view(), name="social-login"),
    path("social/<slug:provider>/link", sign_in.LinkProviderView.as_view(), name="link-provider"),
    path("refresh", sign_in.RefreshView.as_view(), name="refresh"),
    path("logout", sign_in.LogoutView.as_view(), name="logout"),
    path("password/reset", sign_in.PasswordResetView.as_view(), name="password-reset"),
    path("password/reset/confirm", sign_in.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("password/change", sign_in.PasswordChangeView.as_view(), name="password-change"),
    path("reauthenticate", sign_in.ReauthenticateView.as_view(), name="reauthenticate"),
    path("undo-erasure", people.UndoErasureView.as_view(), name="undo-erasure"),
    path("devices", safety.DevicesView.as_view(), name="devices"),
    path("devices/<uuid:device_id>", safety.DeviceView.as_view(), name="device"),
    path("security-log", safety.SecurityLogView.as_view(), name="security-log"),
    path("factors", safety.FactorsView.as_view(), name="factors"),
    path("factors/totp", safety.TotpView.as_view(), name="totp"),
    path("factors/totp/confirm", safety.TotpConfirmView.as_view(), name="totp-confirm"),
    path("factors/recovery-codes", safety.RecoveryCodesView.as_view(), name="recovery-codes"),
    path("factors/passkeys", safety.PasskeysView.as_view(), name="passkeys"),
    path("factors/passkeys/<int:passkey_id>", safety.PasskeyView.as_view(), name="passkey"),
]

_USERS = [
    path("me", people.MeView.as_view(), name="me"),
    path("me/email", people.EmailChangeView.as_view(), name="my-email"),
    path("me/avatar", people.AvatarView.as_view(), name="my-avatar"),
    path("me/export", people.ExportView.as_view(), name="my-export"),
    path("me/consents", safety.ConsentsView.as_view(), name="my-consents"),
    path("me/guardians", safety.GuardiansView.as_view(), name="my-guardians"),
    path("me/guardians/<uuid:guardianship_id>", safety.GuardianView.as_view(), name="my-guardian"),
    path("me/wards", safety.WardsView.as_view(), name="my-wards"),
    path("me/wards/accept", safety.WardAcceptanceView.as_view(), name="accept-ward"),
    path("me/wards/<uuid:ward_id>/session", safety.WardSessionView.as_view(), name="ward-session"),
    path("me/wards/<uuid:ward_id>/guardians", safety.WardGuardiansView.as_view(), name="ward-guardians"),
    path("me/wards/<uuid:ward_id>/hand-over", safety.WardHandOverView.as_view(), name="hand-over-ward"),
    path("me/wards/<uuid:ward_id>/consents", safety.WardConsentsView.as_view(), name="ward-consents"),
    path("<uuid:user_id>", people.PersonView.as_view(), name="person"),
    path("<uuid:user_id>/account", people.ManagedPersonView.as_view(), name="managed-person"),
    path("<uuid:user_id>/suspend", people.SuspensionView.as_view(), name="suspend-person"),
    path("<uuid:user_id>/reinstate", people.ReinstatementView.as_view(), name="reinstate-person"),
]

urlpatterns = [
    path("auth/", include(_AUTH)),
    path("users", people.PeopleView.as_view(), name="people"),
    path("users/", include(_USERS)),
    path("blocks", safety.BlocksView.as_view(), name="blocks"),
    path("blocks/<uuid:user_id>", safety.BlockView.as_view(), name="block"),
]
