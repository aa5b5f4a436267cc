"""Mail: HTML and text from the same words, with a way out in one click and an entry for the calendar."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import signing
from icalendar import vCalAddress, vText

from accounts.models import User
from core.calendar_entries import CalendarEntry, calendar_of, event_of
from core.plain_text import one_line
from notifications.enums import Channel, Urgency
from notifications.models import Notification
from notifications.notices import Topic, topics
from notifications.providers.base import Invite, Letter
from notifications.services.composing import Words, frame_for, html_of, language_of, words_for
from notifications.services.preferences import fixed_channels

_SALT = "notifications.unsubscribe"
# So many are told in full; the rest is in the app.
MOST_TOLD = 20


def letter_for(key: uuid.UUID, notifications: Sequence[Notification]) -> Letter:
    """One mail for these notifications of one person, with `user` and `about` loaded: the notice itself, or a digest of several."""
    person = notifications[0].user
    known = [(row, words) for row in notifications if (words := words_for(row))]
    told = [words for _, words in known[:MOST_TOLD]]
    frame = frame_for(person)
    is_digest = len(known) > 1
    topic_names = sorted({row.topic for row, _ in known})
    labels = ", ".join(topic.labels[language_of(person)] for topic in topics() if topic.name in topic_names)
    stoppable = _stoppable(topic_names)
    stop_url = unsubscribe_url(person, stoppable) if stoppable else ""
    subject = frame.digest.format(count=len(known)) if is_digest else told[0].title
    rest = len(known) - len(told)
    context: dict[str, Any] = {
        "subject": subject,
        "hello": frame.hello.format(name=person.full_name),
        "intro": frame.digest_hello if is_digest else "",
        "items": told,
        "more": frame.more.format(count=rest) if rest else "",
        "why": frame.why.format(topic=labels),
        "stop": frame.stop,
        "stop_url": stop_url,
        "settings": frame.settings,
        "settings_url": f"{settings.SITE_URL}/settings/notifications",
        "is_digest": is_digest,
    }
    return Letter(
        key=key,
        to=person.email,
        subject=subject,
        text=_text_of(context, told),
        html=html_of("letter", context, language=language_of(person)),
        headers=_headers(stop_url, notifications),
        invite=_invite(notifications[0], person) if not is_digest else None,
    )


def _text_of(context: dict[str, Any], told: Sequence[Words]) -> str:
    parts = [context["hello"]]
    parts += [context["intro"]] if context["intro"] else []
    for words in told:
        parts += [f"* {words.title}"] if context["is_digest"] else []
        parts += [*words.paragraphs, f"{words.link}: {words.url}" if words.link else words.url]
    parts += [context["more"]] if context["more"] else []
    stop = [f"{context['stop']}: {context['stop_url']}"] if context["stop_url"] else []
    parts += ["-- \n" + "\n".join([context["why"], *stop, f"{context['settings']}: {context['settings_url']}"])]
    return "\n\n".join(parts) + "\n"


def _headers(stop_url: str, notifications: Sequence[Notification]) -> dict[str, str]:
    """RFC 8058: a mail program may stop the mails with one POST. RFC 3834: nobody's answering machine should answer."""
    headers = {"Auto-Submitted": "auto-generated"}
    if stop_url:
        headers |= {"List-Unsubscribe": f"<{stop_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    if all(row.urgency == Urgency.BULK for row in notifications):
        headers["Precedence"] = "bulk"
    return headers


def _stoppable(topic_names: Sequence[str]) -> list[str]:
    """What a person may stop: not mail that is binding."""
    return [name for name in topic_names if Channel.EMAIL not in fixed_channels(name)]


def unsubscribe_url(person: User, topic_names: Sequence[str]) -> str:
    """The address at which this person stops mails about these topics, without signing in."""
    token = signing.dumps([str(person.pk), *topic_names], salt=_SALT, compress=True)
    return f"{settings.SITE_URL}/unsubscribe/{token}/"


def unsubscribing(token: str) -> tuple[uuid.UUID, list[Topic]] | None:
    """Whose address it is, and for which topics; None where it is none of ours. It works as long as the mail may lie about."""
    try:
        person_id, *names = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    return uuid.UUID(person_id), [topic for topic in topics() if topic.name in names]


def _invite(notification: Notification, person: User) -> Invite | None:
    """The calendar part (RFC 5546). Every attempt has the same UID, SEQUENCE and DTSTAMP."""
    if not notification.calendar:
        return None
    entry = _entry_of(notification.calendar)
    event = event_of(entry, stamped_at=notification.created_at)
    organiser = vCalAddress(f"mailto:{settings.NOTICE_ADDRESS}")
    organiser.params["cn"] = vText("Soosh")
    event["organizer"] = organiser
    attendee = vCalAddress(f"mailto:{person.email}")
    attendee.params.update({"cn": vText(one_line(person.full_name)), "partstat": vText("ACCEPTED"), "rsvp": vText("FALSE")})
    event.add("attendee", attendee, encode=False)
    method = "CANCEL" if entry.is_cancelled else "REQUEST"
    return Invite(calendar_of([event], method=method).decode(), method)


def _entry_of(stored: dict[str, Any]) -> CalendarEntry:
    """The calendar entry that was stored with a notification."""
    instants = {name: datetime.datetime.fromisoformat(str(stored[name])) for name in ("starts_at", "ends_at")}
    return CalendarEntry(**{"summary": "Soosh", **stored, **instants})
