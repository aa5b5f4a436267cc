from django.db import models


class InterviewState(models.TextChoices):
    ACTIVE = "active", "active"
    COMPLETED = "completed", "completed"


class Slot(models.TextChoices):
    """What an interview wants to know. The order breaks ties; what is asked next is decided by `services.planning`."""

    SKILLS = "skills", "what they can do"
    INTERESTS = "interests", "what they like"
    EXPERIENCE = "experience", "what they have done"
    GOALS = "goals", "what they want"
    CONSTRAINTS = "constraints", "what has to be respected"
    ACCESS_NEEDS = "access_needs", "what they need to take part"
    LANGUAGES = "languages", "which languages they speak"
    AVAILABILITY = "availability", "when they have time"
    LOCATION = "location", "where they are"


class ClaimKind(models.TextChoices):
    SKILL = "skill", "skill"
    INTEREST = "interest", "interest"
    EXPERIENCE = "experience", "experience"
    GOAL = "goal", "goal"
    CONSTRAINT = "constraint", "constraint"
    ACCESS_NEED = "access_need", "access need"
    LANGUAGE = "language", "language"
    AVAILABILITY = "availability", "availability"
    LOCATION = "location", "location"


class ClaimSource(models.TextChoices):
    INFERRED = "inferred", "inferred from an answer"
    MINE = "mine", "stated by the person"
    VERIFIED = "verified", "stated by the person and proven by evidence"


class ClaimState(models.TextChoices):
    ACTIVE = "active", "active"
    PROPOSED = "proposed", "not sure, waits for the person's word"
    REJECTED = "rejected", "rejected by the person"


class QuestionKind(models.TextChoices):
    TEXT = "text", "free text"
    CHOICE = "choice", "one or more of the options, or one's own words"
    CONFIRM = "confirm", "which of the options was meant, or none of them"


class AnswerMeaning(models.TextChoices):
    TOLD = "told", "told something"
    UNCLEAR = "unclear", "told nothing that was understood"
    NOTHING = "nothing", "said that there is nothing"
    SKIPPED = "skipped", "skipped the question"


class SuggestionReason(models.TextChoices):
    CONTRADICTION = "contradiction", "an answer contradicts it"
    AGE = "age", "it is old"


class SuggestionState(models.TextChoices):
    OPEN = "open", "open"
    ACCEPTED = "accepted", "accepted"
    DECLINED = "declined", "declined"


class ReasonKind(models.TextChoices):
    SKILL = "skill", "a shared skill"
    WORDS = "words", "words that both use"
    MEANING = "meaning", "close in meaning"
    NEWEST = "newest", "new, and nothing is known yet"


class RecommendationBasis(models.TextChoices):
    PROFILE = "profile", "words and meaning of the profile"
    WORDS = "words", "words of the profile"
    NEWEST = "newest", "newest first, nothing is known yet"
