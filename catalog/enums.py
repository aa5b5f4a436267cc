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
    LIVE = "live", "live"
    CLOSED = "closed", "closed"
    RETIRED = "retired", "retired by its source"


class TermState(models.TextChoices):
    ACTIVE = "active", "active"
    RETIRED = "retired", "retired by its source"


class ImportKind(models.TextChoices):
    TAXONOMY = "taxonomy", "taxonomy"
    OPPORTUNITIES = "opportunities", "opportunities"


class ImportState(models.TextChoices):
    RUNNING = "running", "running"
    COMPLETED = "completed", "completed"
    INTERRUPTED = "interrupted", "interrupted"


class Leg(models.TextChoices):
    LEXICAL = "lexical", "words"
    VECTOR = "vector", "meaning"
