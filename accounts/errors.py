from django.utils.translation import gettext_lazy as _

from core.errors import DomainError


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    status = 401
    message = _("The e-mail address or the password is not right.")


class EmailNotVerified(DomainError):
    code = "email_not_verified"
    status = 403
    message = _("Please open the link that we sent to your e-mail address first. If it has expired, a new one is on its way.")


class InvalidRefreshToken(DomainError):
    code = "invalid_refresh_token"
    status = 401
    message = _("This session has ended. Please sign in again.")


class InvalidVerificationKey(DomainError):
    code = "invalid_verification_key"
    status = 400
    message = _("This link is not valid, was used already, or has expired. Sign in to be sent a new one.")
