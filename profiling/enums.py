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
    TASTE = "taste", "like what was saved, opened or applied for"
    PLACE = "place", "where the person is, or remote"
    LANGUAGE = "language", "in a language that the person speaks"
    NEWEST = "newest", "new"
    URGENT = "urgent", "its deadline is near"
    POPULAR = "popular", "others saved it or applied"
    CHANCE = "chance", "chosen by chance, to learn whether it interests"


class Term(models.TextChoices):
    """What the score of a recommendation is the weighted sum of. Each lies between 0 and 1 unless stated."""

    MEANING = "meaning", "cosine of the profile's vector with the opportunity's"
    WORDS = "words", "BM25 of the profile's words, as a share of the best that they could reach"
    SKILLS = "skills", "share of the opportunity's skills that the person has, by how sure that is"
    TASTE = "taste", "cosine with the mean of what the person saved, opened and applied for"
    DISTASTE = "distaste", "cosine with the mean of what the person dismissed"
    CATEGORY = "category", "share of the person's saves and applications in its category"
    PLACE = "place", "1 if it is remote and the person wants that, or in a place that the person named"
    LANGUAGE = "language", "1 in a language of the person, -1 in another, 0 if not known"
    FRESH = "fresh", "halved every ten days since it was published"
    URGENT = "urgent", "halved every five days until it closes; 0 without a deadline"
    POPULAR = "popular", "logarithm of how many others saved it or applied"


class CandidateSource(models.TextChoices):
    """How an opportunity came to be considered."""

    MEANING = "meaning", "near to the profile"
    WORDS = "words", "words of the profile"
    SKILLS = "skills", "shared skills"
    TASTE = "taste", "near to what was saved, opened and applied for"
    FRESH = "fresh", "newest"
    CHANCE = "chance", "by chance"


class RecommendationBasis(models.TextChoices):
    PROFILE = "profile", "words and meaning of the profile"
    WORDS = "words", "words of the profile"
    TASTE = "taste", "what the person did; nothing was told yet"
    NEWEST = "newest", "newest first, nothing is known yet"


class RankerState(models.TextChoices):
    REFUSED = "refused", "not better on replay, or worse on a guard"
    ROLLING_OUT = "rolling_out", "ranks for a share of the people, watched"
    IN_FORCE = "in_force", "ranks for everybody"
    STANDBY = "standby", "was in force before, to go back to"
    STOPPED = "stopped", "taken back while it was rolled out"
