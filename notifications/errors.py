from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, DomainError


class WrongCode(DomainError):
    code = "wrong_code"
    status = 400
    message = _("This code is not right, or has expired. Ask for a new one.")


class NumberTaken(Conflict):
    code = "number_taken"
    message = _("Somebody else proved this number to be theirs.")


class NumberStopped(Conflict):
    code = "number_stopped"
    message = _("This number answered STOP. Send START to our number first.")


class NotSignedInByApp(Conflict):
    code = "not_signed_in_by_app"
    message = _("Pushes go to a phone that is signed in to the app.")
