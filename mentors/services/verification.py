"""What staff checked about a mentor: asked for, proven, reviewed, and over."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.enums import KeyPurpose
from accounts.models import User
from accounts.services.invitations import count_invitation
from accounts.services.keys import issue_key, spend_key
from accounts.services.mailing import send_mail
from core.email_addresses import normalize_email
from core.errors import FieldError, Forbidden, InvalidInput
from core.events import publish
from mentors.enums import CheckKind, CheckScope, CheckState, Evidence
from mentors.errors import IllegalCheckMove, SecondReviewerNeeded, TooManyChecks
from mentors.events import CheckDecided, CheckExpires
from mentors.models import Check, CheckDocument, MentorProfile
from mentors.models.verification import UNDECIDED
from mentors.services.documents import delete_documents

MOST_A_DAY = 10
_MOST_CODES = 5
_IDLE_DAYS = 30
_TOLD_BEFORE = datetime.timedelta(days=30)
_BATCH = 200
_YEAR = datetime.timedelta(days=365)
# People change what they do; a register entry or a clean record says something about its day.
LONGEST: Mapping[str, datetime.timedelta] = {
    CheckKind.IDENTITY: 3 * _YEAR,
    CheckKind.EMPLOYER: _YEAR,
    CheckKind.CREDENTIAL: 5 * _YEAR,
    CheckKind.REFERENCE: 2 * _YEAR,
    CheckKind.BACKGROUND: 2 * _YEAR,
}
_PAPERS = frozenset({Evidence.PASSPORT, Evidence.IDENTITY_CARD, Evidence.RESIDENCE_PERMIT, Evidence.DRIVING_LICENCE})
EVIDENCE_OF: Mapping[tuple[str, str], frozenset[Evidence]] = {
    (CheckKind.IDENTITY, CheckScope.GENERAL): _PAPERS,
    (CheckKind.EMPLOYER, CheckScope.GENERAL): frozenset({Evidence.WORK_MAIL, Evidence.EMPLOYER_LETTER}),
    (CheckKind.CREDENTIAL, CheckScope.GENERAL): frozenset({Evidence.DIPLOMA, Evidence.REGISTER}),
    (CheckKind.REFERENCE, CheckScope.GENERAL): frozenset({Evidence.REFERENCE_CALL, Evidence.REFERENCE_LETTER}),
    (CheckKind.BACKGROUND, CheckScope.GENERAL): frozenset({Evidence.POLICE_CERTIFICATE, Evidence.EXTENDED_POLICE_CERTIFICATE}),
    (CheckKind.BACKGROUND, CheckScope.MINORS): frozenset({Evidence.EXTENDED_POLICE_CERTIFICATE}),
}
# A mailbox there says nothing about where somebody works.
_MAILBOXES_FOR_ALL = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "ymail.com", "icloud.com"),
        *("me.com", "mac.com", "aol.com", "gmx.de", "gmx.net", "gmx.com", "web.de", "t-online.de", "freenet.de", "proton.me"),
        *("protonmail.com", "pm.me", "tutanota.com", "tuta.com", "mail.com", "mail.ru", "yandex.ru", "yandex.com", "qq.com", "163.com"),
        *("126.com", "zoho.com", "fastmail.com", "hey.com", "posteo.de", "mailbox.org", "orange.fr", "free.fr", "laposte.net"),
    }
)


def request_check(
    *, profile: MentorProfile, kind: CheckKind, scope: CheckScope = CheckScope.GENERAL, statement: str = "", contact: str = ""
) -> Check:
    """Begin a check of a mentor. Evidence is added next, then it is submitted.

    Raises:
        InvalidInput: the kind needs a statement or a contact, or cannot have this scope.
        TooManyChecks: of today, or one of this kind is under way.
    """
    errors = _errors_of_request(kind, scope, statement, contact)
    if errors:
        raise InvalidInput(errors=tuple(errors))
    with transaction.atomic():
        MentorProfile.objects.select_for_update(of=("self",), no_key=True).only("pk").get(pk=profile.pk)
        own = Check.objects.filter(profile=profile)
        recent = own.filter(created_at__gt=timezone.now() - datetime.timedelta(days=1)).count()
        same = own.filter(kind=kind, scope=scope, state__in=UNDECIDED)
        if recent >= MOST_A_DAY or (kind in (CheckKind.IDENTITY, CheckKind.BACKGROUND) and same.exists()):
            raise TooManyChecks
        stored = normalize_email(contact) if kind == CheckKind.EMPLOYER and contact else contact
        return Check.objects.create(profile=profile, kind=kind, scope=scope, statement=statement, contact=stored)


def mail_code(*, check: Check) -> None:
    """Send a code to the mailbox at work that the mentor named.

    Raises:
        IllegalCheckMove: it is no check of an employer that is under way, or enough codes were mailed.
        MailRefused, Unavailable
    """
    with transaction.atomic():
        locked = _locked(check.pk, CheckState.OPEN)
        if locked.kind != CheckKind.EMPLOYER or not locked.contact or locked.codes_mailed >= _MOST_CODES:
            raise IllegalCheckMove(state=locked.state)
        locked.codes_mailed += 1
        locked.save(update_fields=["codes_mailed", "updated_at"])
        person = locked.profile.user
        secret = issue_key(purpose=KeyPurpose.WORK_EMAIL, user=person, email=locked.contact)
        if locked.codes_mailed == 1:
            count_invitation(inviter=person)
        send_mail(template="work_email", to=locked.contact, secret=secret, person=person)


def confirm_code(*, check: Check, code: str) -> None:
    """Take the code that came to the mailbox at work.

    Raises:
        InvalidKey: wrong, old, or sent to another mailbox or person.
        IllegalCheckMove: the check is not under way.
    """
    with transaction.atomic():
        locked = _locked(check.pk, CheckState.OPEN)
        key = spend_key(secret=code, purposes=(KeyPurpose.WORK_EMAIL,))
        if key.user_id != locked.profile.user_id or key.email != locked.contact:
            raise IllegalCheckMove(state=locked.state)
        locked.proven_domain = locked.contact.rpartition("@")[2]
        locked.save(update_fields=["proven_domain", "updated_at"])


def submit_check(*, check: Check) -> None:
    """Ask staff to look at the evidence.

    Raises:
        InvalidInput: there is none yet.
        IllegalCheckMove: that was done already.
    """
    with transaction.atomic():
        locked = _locked(check.pk, CheckState.OPEN)
        has_documents = locked.documents.filter(is_stored=True).exists()
        if not (has_documents or locked.proven_domain or (locked.kind == CheckKind.REFERENCE and locked.contact)):
            raise InvalidInput(errors=(FieldError("documents", "required", "Add a document that proves it first."),))
        locked.state, locked.submitted_at = CheckState.SUBMITTED, timezone.now()
        locked.checked_name = locked.profile.user.full_name
        locked.save(update_fields=["state", "submitted_at", "checked_name", "updated_at"])


def withdraw_check(*, check: Check) -> None:
    """Take a check back; its documents are deleted, and a badge goes at once.

    Raises:
        IllegalCheckMove: it is over already.
    """
    with transaction.atomic():
        _end(_locked(check.pk, *UNDECIDED, CheckState.PASSED), CheckState.WITHDRAWN)


def pass_check(*, staff: User, check: Check, evidence: Evidence, expires_at: datetime.datetime | None = None, note: str = "") -> None:
    """Staff saw the evidence. A check for work with minors is passed by the second of two people.

    Raises:
        Forbidden: nobody reviews themselves.
        InvalidInput: this is no evidence for it, or the date is past or too far.
        SecondReviewerNeeded: the same person again.
        IllegalCheckMove: it does not wait for staff.
    """
    with transaction.atomic():
        locked = _locked_for_review(staff, check)
        now = timezone.now()
        latest = now + LONGEST[locked.kind]
        _require_sound(locked, evidence, expires_at, now)
        locked.evidence, locked.decision_note = evidence, note
        locked.expires_at = min(date for date in (expires_at, locked.expires_at, latest) if date is not None)
        if locked.scope == CheckScope.MINORS and locked.state == CheckState.SUBMITTED:
            locked.state, locked.first_reviewer, locked.first_reviewed_at = CheckState.SECOND_REVIEW, staff, now
            locked.save()
            return
        locked.reviewer = staff
        _end(locked, CheckState.PASSED)


def refuse_check(*, staff: User, check: Check, note: str = "") -> None:
    """Staff were not convinced. One person is enough for a no.

    Raises:
        Forbidden: nobody reviews themselves.
        IllegalCheckMove: it does not wait for staff.
    """
    with transaction.atomic():
        locked = _locked_for_review(staff, check, may_be_same=True)
        locked.decision_note = note
        if locked.first_reviewer_id != staff.pk:
            locked.reviewer = staff
        _end(locked, CheckState.REFUSED)


def revoke_check(*, staff: User, check: Check, note: str = "") -> None:
    """Staff take a passed check back.

    Raises:
        IllegalCheckMove: it was not passed.
    """
    with transaction.atomic():
        locked = _locked(check.pk, CheckState.PASSED)
        locked.decision_note = note
        if locked.first_reviewer_id != staff.pk:
            locked.reviewer = staff
        _end(locked, CheckState.REVOKED)


def withdraw_idle_checks() -> int:
    """Take back what nobody went on with for a month, so that documents do not lie about. Returns how many."""
    before = timezone.now() - datetime.timedelta(days=_IDLE_DAYS)
    keys = list(Check.objects.filter(state=CheckState.OPEN, updated_at__lt=before).values_list("pk", flat=True)[:_BATCH])
    for key in keys:
        with transaction.atomic():
            check = Check.objects.select_for_update(of=("self",)).filter(pk=key, state=CheckState.OPEN, updated_at__lt=before).first()
            if check is not None:
                _end(check, CheckState.WITHDRAWN)
    return len(keys)


def tell_expiring_checks() -> int:
    """Tell mentors once, a month before a check of theirs is over. Returns how many."""
    with transaction.atomic():
        now = timezone.now()
        soon = Check.objects.filter(state=CheckState.PASSED, told_expiry_at__isnull=True, expires_at__range=(now, now + _TOLD_BEFORE))
        checks = list(soon.select_related("profile").select_for_update(of=("self",), skip_locked=True)[:_BATCH])
        for check in checks:
            publish(CheckExpires(check.profile.user_id, check.pk))
        Check.objects.filter(pk__in=[check.pk for check in checks]).update(told_expiry_at=now)
    return len(checks)


def _locked(check_id: uuid.UUID, *states: CheckState) -> Check:
    check = Check.objects.select_for_update(of=("self",)).select_related("profile__user").get(pk=check_id)
    if check.state not in states:
        raise IllegalCheckMove(state=check.state)
    return check


def _locked_for_review(staff: User, check: Check, *, may_be_same: bool = False) -> Check:
    locked = _locked(check.pk, CheckState.SUBMITTED, CheckState.SECOND_REVIEW)
    if locked.profile.user_id == staff.pk:
        raise Forbidden
    if locked.first_reviewer_id == staff.pk and not may_be_same:
        raise SecondReviewerNeeded
    return locked


def _end(check: Check, state: CheckState) -> None:
    """Decide, forget what only the decision needed, and tell the mentor if staff decided."""
    check.state, check.decided_at, check.contact = state, timezone.now(), ""
    check.save()
    CheckDocument.objects.filter(check_of=check).update(is_stored=False)
    transaction.on_commit(lambda: delete_documents(check_id=check.pk))
    if state != CheckState.WITHDRAWN:
        publish(CheckDecided(check.profile.user_id, check.pk, state))


def _errors_of_request(kind: CheckKind, scope: CheckScope, statement: str, contact: str) -> list[FieldError]:
    errors = []
    if (kind, scope) not in EVIDENCE_OF:
        errors.append(FieldError("scope", "wrong_scope", "Only the background is checked for work with people under 18."))
    if kind in (CheckKind.EMPLOYER, CheckKind.CREDENTIAL, CheckKind.REFERENCE) and not statement:
        errors.append(FieldError("statement", "required", "Say what is to be checked."))
    if kind == CheckKind.EMPLOYER and contact:
        errors += _errors_of_mailbox(contact)
    elif contact and kind != CheckKind.REFERENCE:
        errors.append(FieldError("contact", "not_needed", "Nobody is asked about this."))
    return errors


def _errors_of_mailbox(contact: str) -> list[FieldError]:
    try:
        address = normalize_email(contact)
    except ValidationError as error:
        return [FieldError("contact", "invalid", error.message)]
    if address.rpartition("@")[2] in _MAILBOXES_FOR_ALL:
        return [FieldError("contact", "mailbox_for_all", "Everybody can have a mailbox there. Name one of your employer.")]
    return []


def _require_sound(check: Check, evidence: Evidence, expires_at: datetime.datetime | None, now: datetime.datetime) -> None:
    errors = []
    if evidence not in EVIDENCE_OF[check.kind, check.scope]:
        errors.append(FieldError("evidence", "wrong_evidence", "This does not prove what is checked."))
    elif evidence == Evidence.WORK_MAIL and not check.proven_domain:
        errors.append(FieldError("evidence", "not_proven", "The code that was mailed has not come back."))
    if expires_at is not None and not now < expires_at <= now + LONGEST[check.kind]:
        errors.append(FieldError("expires_at", "out_of_range", f"Between now and {LONGEST[check.kind].days} days from now."))
    if errors:
        raise InvalidInput(errors=tuple(errors))
