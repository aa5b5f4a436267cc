"""What providers report later: mails that arrived, came back or annoyed; texts that arrived; numbers that answered STOP. Each report may
come twice, late, or before we wrote down that we sent."""

from __future__ import annotations

import unicodedata
import uuid

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from accounts.services.invitations import refuse_invitations_to
from core.phone_numbers import normalize_phone
from notifications.enums import Channel, Complaint, DeliveryState, Why
from notifications.models import WAITING, Delivery
from notifications.services.recipients import lift_suppression, suppress

# Twilio's own list (https://help.twilio.com/articles/223134027), and the words of other languages in which people say it. Only a message of
# a single word counts.
STOP_WORDS = frozenset(
    {
        *("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
        *(
            "stopp",
            "halt",
            "abmelden",
            "arret",
            "arreter",
            "desabonner",
            "parar",
            "alto",
            "baja",
            "cancelar",
            "fermare",
            "basta",
            "stoppen",
        ),
    }
)
START_WORDS = frozenset({"start", "yes", "unstop", "anmelden", "commencer", "empezar", "iniciar", "inizia"})


# Replied STOP; unknown handset; a landline.
_LASTING_ERRORS = {"21610": Complaint.STOPPED, "30005": Complaint.BOUNCED, "30006": Complaint.BOUNCED}


def mail_arrived(*, key: uuid.UUID, is_delivered: bool) -> None:
    """The provider has a mail, or its reader's server has."""
    _arrived(Q(pk=key, channel=Channel.EMAIL), is_delivered=is_delivered)


def mail_came_back(*, key: uuid.UUID | None, address: str, is_for_good: bool) -> None:
    """A mail bounced; one that never will arrive ends all mail to its address."""
    if is_for_good:
        suppress(channel=Channel.EMAIL, address=address, reason=Complaint.BOUNCED)
    if key is not None:
        _came_back(Q(pk=key, channel=Channel.EMAIL))


def mail_annoyed(*, address: str) -> None:
    """A mail was marked as spam, which also refuses invitations."""
    refuse_invitations_to(address=address)
    suppress(channel=Channel.EMAIL, address=address, reason=Complaint.COMPLAINED)


def text_arrived(*, sid: str, is_delivered: bool) -> None:
    """A text was taken by the carrier, or is on the phone."""
    _arrived(Q(provider_id=sid, channel=Channel.SMS), is_delivered=is_delivered)


def text_came_back(*, sid: str, number: str = "", error_code: str = "") -> None:
    """A text did not arrive. Some errors end all texts to the number (https://www.twilio.com/docs/api/errors)."""
    if number and error_code in _LASTING_ERRORS:
        suppress(channel=Channel.SMS, address=_e164(number), reason=_LASTING_ERRORS[error_code])
    _came_back(Q(provider_id=sid, channel=Channel.SMS))


def text_received(*, number: str, text: str, opt_out_type: str = "") -> None:
    """Somebody wrote to our number: a word that stops or starts messages, or something else, which is ignored. Where Twilio manages the
    words itself, its `opt_out_type` decides (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out)."""
    word = opt_out_type.strip().lower() or _plain_word(text)
    if word in STOP_WORDS:
        suppress(channel=Channel.SMS, address=_e164(number), reason=Complaint.STOPPED)
    elif word in START_WORDS:
        lift_suppression(channel=Channel.SMS, address=_e164(number), reasons=(Complaint.STOPPED,))


def _plain_word(text: str) -> str:
    """A message in lower case, without accents, and without spaces and punctuation at its ends."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in letters if not unicodedata.combining(character)).strip(" \t\r\n.,!?;:'\"-*")


def _e164(number: str) -> str:
    """The number in E.164, as stored; unchanged if it is not a phone number, such as a short code."""
    try:
        return normalize_phone(number.rpartition(":")[2])
    except ValidationError:
        return number


def _with_bundle(which: Q) -> Q:
    leads = Delivery.objects.filter(which).values("pk")
    return Q(pk__in=leads) | Q(bundled_with__in=leads)


def _arrived(which: Q, *, is_delivered: bool) -> None:
    """It also settles what is claimed by a worker that died, and what was given up as unconfirmed."""
    now = timezone.now()
    state = DeliveryState.DELIVERED if is_delivered else DeliveryState.SENT
    rows = Delivery.objects.filter(_with_bundle(which))
    unsettled = Q(state__in=WAITING, claimed_at__isnull=False) | Q(state__in=WAITING, bundled_with__claimed_at__isnull=False)
    doubted = Q(state=DeliveryState.FAILED, why=Why.UNCONFIRMED)
    ids = list(rows.filter(unsettled | doubted).values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=ids).update(state=state, sent_at=now, claimed_at=None, why="")
    if is_delivered:
        rows.filter(state=DeliveryState.SENT).update(state=DeliveryState.DELIVERED)


def _came_back(which: Q) -> None:
    sent = Delivery.objects.filter(_with_bundle(which)).exclude(state=DeliveryState.SUPPRESSED)
    sent.update(state=DeliveryState.BOUNCED, why=Why.REFUSED, claimed_at=None)
