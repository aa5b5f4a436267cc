from django.db import models


class OpportunityKind(models.TextChoices):
    JOB = "job", "job"
    INTERNSHIP = "internship", "internship"
    MENTORSHIP = "mentorship", "mentorship programme"
    COURSE = "course", "course"
    CERTIFICATION = "certification", "certification"
    SCHOLARSHIP = "scholarship", "scholarship"
    HACKATHON = "hackathon", "hackathon"
    EVENT = "event", "event"
    OPEN_SOURCE = "open_source", "open-source project"
    VOLUNTEERING = "volunteering", "volunteering"
    STUDENT_RESOURCE = "student_resource", "student resource"


class OpportunityState(models.TextChoices):
    DRAFT = "draft", "draft, seen by its poster alone"
    REVIEW = "review", "waits for a look by staff"
    LIVE = "live", "live"
    PAUSED = "paused", "taken down for a while by its poster, or because nobody confirmed it"
    EXPIRED = "expired", "its deadline or its end has passed"
    CLOSED = "closed", "closed for good"
    RETIRED = "retired", "retired by its source"


class TermState(models.TextChoices):
    ACTIVE = "active", "active"
    RETIRED = "retired", "retired by its source"
    REPLACED = "replaced", "replaced by its successors"


class ImportKind(models.TextChoices):
    TAXONOMY = "taxonomy", "taxonomy"
    OPPORTUNITIES = "opportunities", "opportunities"


class ImportState(models.TextChoices):
    RUNNING = "running", "running"
    COMPLETED = "completed", "completed"
    INTERRUPTED = "interrupted", "interrupted"
    FAILED = "failed", "failed"


class Leg(models.TextChoices):
    LEXICAL = "lexical", "words"
    VECTOR = "vector", "meaning"


class OrganisationState(models.TextChoices):
    PENDING = "pending", "not yet checked: what it posts waits for a look by staff"
    VERIFIED = "verified", "checked by staff: what it posts is live at once"
    SUSPENDED = "suspended", "may not post, and nothing of it is shown"


class MemberRole(models.TextChoices):
    OWNER = "owner", "posts, and decides who else does"
    POSTER = "poster", "posts"


class ReviewState(models.TextChoices):
    OPEN = "open", "open"
    APPROVED = "approved", "approved"
    REJECTED = "rejected", "rejected"


class ReviewSignal(models.TextChoices):
    """Why a posting waits for a look. The scam signals follow the US Federal Trade Commission's advice on job scams."""

    NEW_POSTER = "new_poster", "its organisation has not been checked yet"
    NEAR_DUPLICATE = "near_duplicate", "it says nearly the same as another one"
    ASKS_FOR_MONEY = "asks_for_money", "it asks applicants to pay"
    UNTRACEABLE_PAYMENT = "untraceable_payment", "it speaks of wire transfers, gift cards or crypto money"
    ASKS_FOR_IDENTITY = "asks_for_identity", "it asks for bank details, passports or social security numbers up front"
    PRIVATE_CONTACT = "private_contact", "it wants applicants on a messenger or a private address"
    TOO_GOOD = "too_good", "it promises much money for little or no work"
    MULTI_LEVEL = "multi_level", "it pays for bringing in others"
    HIDDEN_ADDRESS = "hidden_address", "its address is shortened or a bare number"
    SHOUTING = "shouting", "it shouts"


class ReactionKind(models.TextChoices):
    OPEN = "open", "opened"
    SAVE = "save", "saved"
    DISMISS = "dismiss", "dismissed"
    APPLY = "apply", "applied"


class DismissReason(models.TextChoices):
    NOT_INTERESTED = "not_interested", "does not interest me"
    NOT_QUALIFIED = "not_qualified", "I lack what it asks for"
    WRONG_PLACE = "wrong_place", "wrong place"
    WRONG_TIME = "wrong_time", "wrong time"
    SUSPICIOUS = "suspicious", "it looks like a scam"
    OTHER = "other", "another reason"
