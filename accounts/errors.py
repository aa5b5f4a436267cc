from django.utils.translation import gettext_lazy as _

from core.errors import Busy, Conflict, DomainError, Forbidden, TooManyRequests


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    status = 401
    message = _("The e-mail address or the password is not right.")


class TooManySignIns(TooManyRequests):
    message = _("Too many tries from your network. Wait a little, or sign in with a passkey or a code that we mail you.")


class MailedCodeRequired(Forbidden):
    code = "mailed_code_required"
    message = _("Somebody tried many passwords or codes. From a new place, please sign in with a passkey or a code that we mail you.")


class ConfirmSignedIn(Forbidden):
    code = "confirm_signed_in"
    message = _("To confirm a new address, sign in to your account first, or send its password. Then open the link again.")


class ManagedProfile(Forbidden):
    code = "managed_profile"
    message = _("This is a child's profile. It has no sign-in of its own; its guardian uses it with them.")


class WardsNeedGuardian(Conflict):
    code = "wards_need_guardian"
    message = _("A child's profile depends on you alone. Erase it first, or let another adult become its guardian.")


class StillAChild(Conflict):
    code = "still_a_child"
    message = _("A profile can be handed over from the 13th birthday on.")


class EmailNotVerified(DomainError):
    code = "email_not_verified"
    status = 403
    message = _("Please open the link that we sent to your e-mail address first. If it has expired, a new one is on its way.")


class SecondFactorRequired(DomainError):
    code = "mfa_required"
    status = 401
    message = _("Please send the code of your second step too, as mfa_code. A recovery code works as well.")


class InvalidSecondFactor(DomainError):
    code = "invalid_mfa_code"
    status = 401
    message = _("This code is not right, or was used already. Wait for the next one and try again.")


class AccountSuspended(DomainError):
    code = "account_suspended"
    status = 403
    message = _("This account is suspended.")


class AccountBeingErased(DomainError):
    code = "account_being_erased"
    status = 403
    message = _("This account is being erased. Until then the link in our mail brings it back.")


class InvalidRefreshToken(DomainError):
    code = "invalid_refresh_token"
    status = 401
    message = _("This session has ended. Please sign in again.")


class RefreshRace(Busy):
    code = "refresh_race"
    message = _("Another refresh with this token has just won. If its answer was lost, try again in a moment.")


class InvalidKey(DomainError):
    code = "invalid_key"
    status = 400
    message = _("This link or code is not valid, was used already, or has expired. Ask for a new one.")


class FreshSignInRequired(DomainError):
    code = "fresh_sign_in_required"
    status = 401
    message = _("Please prove once more that it is you: send your password or a code of your second step to auth/reauthenticate.")


class WrongPassword(DomainError):
    code = "wrong_password"
    status = 400
    message = _("The present password is not right.")


class ProviderUnknown(DomainError):
    code = "provider_not_configured"
    status = 404
    message = _("Signing in this way is not set up here.")


class ProviderRefused(DomainError):
    code = "provider_refused"
    status = 400
    message = _("The provider did not confirm this sign-in. Please start it again.")


class ProviderEmailMissing(DomainError):
    code = "provider_email_missing"
    status = 400
    message = _("The provider did not tell your e-mail address. Allow it there, or register with your address.")


class LinkNeedsSignIn(Conflict):
    code = "link_needs_sign_in"
    message = _("There is an account with this address already. Sign in to it as you always do, then link this provider in your settings.")


class ProviderTaken(Conflict):
    code = "provider_linked_elsewhere"
    message = _("This sign-in is in use already: by another account, or you have one of the same kind.")


class LastWayIn(Conflict):
    code = "last_way_in"
    message = _("This is your last way to sign in. Set a password or add a passkey first.")


class SecondFactorExists(Conflict):
    code = "second_factor_exists"
    message = _("There is an authenticator app already. Remove it first.")


class SecondFactorMissing(Conflict):
    code = "second_factor_missing"
    message = _("There is no second step on this account.")


class InvalidPasskey(DomainError):
    code = "invalid_passkey"
    status = 400
    message = _("The passkey's answer does not fit. Please start again.")


class GuardianRequired(Forbidden):
    code = "guardian_required"
    message = _("You are under 18: a guardian has to agree first.")


class ChildNeedsGuardianProfile(DomainError):
    code = "guardian_profile_required"
    status = 400
    message = _("Children under 13 cannot register. A parent or guardian can make a profile for them.")


class AdultsOnly(Forbidden):
    code = "adults_only"
    message = _("Only adults can be guardians.")


class ConsentRequired(Forbidden):
    code = "consent_required"
    message = _("This needs your consent first.")


class ConsentTextOutdated(Conflict):
    code = "consent_text_outdated"
    message = _("The text has changed since you read it. Please read the present version.")


class HandleTaken(DomainError):
    code = "handle_taken"
    status = 400
    message = _("Somebody else has this handle.")


class BirthDateIsSet(Conflict):
    code = "birth_date_is_set"
    message = _("The birth date is asked once. To correct it, write to our support.")


class ImageRefused(DomainError):
    code = "image_refused"
    status = 400
    message = _("This is not an image that we can use.")


class MailRefused(DomainError):
    code = "mail_refused"
    status = 400
    message = _("No mail can be delivered to this address. Please check it for typing mistakes.")
