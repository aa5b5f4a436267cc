from django.db import models


class InterviewState(models.TextChoices):
    ACTIVE = "active", "active"
    COMPLETED = "completed", "completed"


class Slot(models.TextChoices):
    """What an interview asks about, in the order of asking."""

    SKILLS = "skills", "what they can do"
    INTERESTS = "interests", "what they like"
    EXPERIENCE = "experience", "what they have done"
    GOALS = "goals", "what they want"
    CONSTRAINTS = "constraints", "what has to be respected"


class ClaimKind(models.TextChoices):
    SKILL = "skill", "skill"
    INTEREST = "interest", "interest"
    EXPERIENCE = "experience", "experience"
    GOAL = "goal", "goal"
    CONSTRAINT = "constraint", "constraint"


class ClaimSource(models.TextChoices):
    INFERRED = "inferred", "inferred from an answer"
    MINE = "mine", "stated by the person"


class ClaimState(models.TextChoices):
    ACTIVE = "active", "active"
    REJECTED = "rejected", "rejected by the person"


class QuestionKind(models.TextChoices):
    TEXT = "text", "free text"


class ReasonKind(models.TextChoices):
    SKILL = "skill", "a shared skill"
    WORDS = "words", "words that both use"
    MEANING = "meaning", "close in meaning"
    NEWEST = "newest", "new, and nothing is known yet"


class RecommendationBasis(models.TextChoices):
    PROFILE = "profile", "words and meaning of the profile"
    WORDS = "words", "words of the profile"
    NEWEST = "newest", "newest first, nothing is known yet"
