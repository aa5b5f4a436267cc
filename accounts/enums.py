from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    MEMBER = "member", _("member")
    MENTOR = "mentor", _("mentor")
    MODERATOR = "moderator", _("moderator")
    STAFF = "staff", _("staff")


class AgeBand(TextChoices):
    """What the law and our rules distinguish. `unstated` until the person tells their birth date."""

    CHILD = "child", _("under 13")
    TEENAGER = "teenager", _("13 to 17")
    ADULT = "adult", _("18 and over")
    UNSTATED = "unstated", _("not stated")


class DeviceKind(TextChoices):
    APP = "app", _("app")
    WEB = "web", _("web browser")


class KeyPurpose(TextChoices):
    VERIFY_EMAIL = "verify_email", _("confirm an address")
    CHANGE_EMAIL = "change_email", _("change the address")
    RESET_PASSWORD = "reset_password", _("choose a new password")
    LOG_IN = "log_in", _("sign in")
    UNDO_ERASURE = "undo_erasure", _("keep the account")
    GUARDIAN = "guardian", _("become a guardian")
    HAND_OVER = "hand_over", _("take over a profile")
    WORK_EMAIL = "work_email", _("prove a mailbox at work")


class SecurityEventKind(TextChoices):
    SIGNED_IN = "signed_in", _("signed in")
    SIGN_IN_FAILED = "sign_in_failed", _("a sign-in failed")
    SIGNED_OUT = "signed_out", _("signed out")
    SESSION_REVOKED = "session_revoked", _("a device was signed out")
    TOKEN_REUSED = "token_reused", _("an old token was used again; the device was signed out")
    PASSWORD_CHANGED = "password_changed", _("the password was changed")
    PASSWORD_RESET = "password_reset", _("the password was reset by mail")
    EMAIL_CHANGED = "email_changed", _("the e-mail address was changed")
    PROVIDER_LINKED = "provider_linked", _("another way to sign in was linked")
    PROVIDER_UNLINKED = "provider_unlinked", _("a way to sign in was removed")
    SECOND_FACTOR_ADDED = "second_factor_added", _("a second step was added")
    SECOND_FACTOR_REMOVED = "second_factor_removed", _("a second step was removed")
    RECOVERY_CODES_MADE = "recovery_codes_made", _("new recovery codes were made")
    SUSPENDED = "suspended", _("the account was suspended")
    REINSTATED = "reinstated", _("the account was reinstated")
    EXPORT_MADE = "export_made", _("a copy of all data was made")
    ERASURE_REQUESTED = "erasure_requested", _("erasure of the account was requested")
    ERASURE_UNDONE = "erasure_undone", _("erasure of the account was undone")
    SEEN_BY_STAFF = "seen_by_staff", _("a member of staff looked at the pages as you see them")
    MAIL_BOUNCED = "mail_bounced", _("a mail could not be delivered")


class ConsentPurpose(TextChoices):
    AI_PROFILING = "ai_profiling", _("AI profiling")
    VOICE_PROCESSING = "voice_processing", _("voice processing")
    VOICE_KEEPING = "voice_keeping", _("keeping voice recordings")
    RECORDING = "recording", _("recording of sessions")
    MARKETING = "marketing", _("news and offers")
    AGENT_ACTING = "agent_acting", _("the assistant acting for you")


class ConsentSource(TextChoices):
    SETTINGS = "settings", _("the person's settings")
    INTERVIEW = "interview", _("the start of the interview")
    GUARDIAN = "guardian", _("the person's guardian")


class GuardianshipState(TextChoices):
    INVITED = "invited", _("invited")
    ACTIVE = "active", _("active")
    ENDED = "ended", _("ended")


class ExportState(TextChoices):
    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("running")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")
    EXPIRED = "expired", _("expired")


class ErasureState(TextChoices):
    SCHEDULED = "scheduled", _("scheduled")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    CANCELLED = "cancelled", _("cancelled")


class Provider(TextChoices):
    GOOGLE = "google", "Google"
    APPLE = "apple", "Apple"
    LINKEDIN = "linkedin", "LinkedIn"
