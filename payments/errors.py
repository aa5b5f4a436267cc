from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable


class ProviderAway(Unavailable):
    code = "payment_provider_away"
    message = _("The payment provider does not answer right now. Nothing was charged. Please try again in a minute.")


class ProviderRefused(Conflict):
    """The provider understood, and said no. `data["reason"]` is its own code."""

    code = "payment_refused"
    message = _("The payment provider did not accept this.")


class InvalidAmount(InvalidInput):
    code = "invalid_amount"
    message = _("This amount cannot be paid.")


class PaymentExists(Conflict):
    code = "payment_exists"
    message = _("There is a payment for this already, on other terms.")


class IllegalPaymentMove(Conflict):
    code = "illegal_payment_move"
    message = _("This is not possible in the present state of the payment.")


class PaymentDisputed(Conflict):
    code = "payment_disputed"
    message = _("The payer's bank is looking into this payment. It cannot be refunded before the bank has decided.")


class NothingToPay(Conflict):
    code = "nothing_to_pay"
    message = _("This costs nothing, so there is nothing to pay.")


class AlreadyPaid(Conflict):
    code = "already_paid"
    message = _("This is paid already, or your bank is working on it.")


class NothingToPayFor(NotFound):
    code = "nothing_to_pay_for"
    message = _("There is nothing here that you could pay for.")


class MayNotPay(Forbidden):
    code = "may_not_pay"
    message = _("People under 18 cannot pay. A guardian pays for them.")


class NotAMovement(Conflict):
    code = "movement_is_not_stuck"
    message = _("Only what is stuck or failed can be tried again.")


class NoReceipt(NotFound):
    code = "no_receipt"
    message = _("There is a receipt once something was paid.")


class CountryIsFixed(Conflict):
    code = "country_is_fixed"
    message = _("Your account is in another country, and an account stays where it was made. Write to us if you have moved.")


class UnsupportedCountry(InvalidInput):
    code = "unsupported_country"
    message = _("Earnings cannot be paid out to this country yet.")
