from django.db import models


class Engine(models.TextChoices):
    OPENAI = "openai", "OpenAI-compatible"
    EMBEDDED = "embedded", "embedded"


class Operation(models.TextChoices):
    EMBED = "embed", "embed"
    CONVERSE = "converse", "converse"
    TRANSCRIBE = "transcribe", "transcribe"
    SPEAK = "speak", "speak"
    MODERATE = "moderate", "moderate"


class AudioFormat(models.TextChoices):
    MP3 = "mp3", "MP3"
    OPUS = "opus", "Opus in Ogg"
    WAV = "wav", "WAV"


class HearingHint(models.TextChoices):
    """Why nothing, or not all, was understood. Said to the person in words."""

    SILENCE = "silence", "I heard nothing. Is the microphone on?"
    NO_SPEECH = "no_speech", "I heard a sound, but no words. Please say it again."
    UNCLEAR = "unclear", "I am not sure that I understood every word. Please look at the text."


class Outcome(models.TextChoices):
    PENDING = "pending", "pending"
    OK = "ok", "ok"
    TIMEOUT = "timeout", "timed out"
    RATE_LIMITED = "rate_limited", "rate limited"
    FAILED = "failed", "failed"
    NONSENSE = "nonsense", "answered nonsense"
    OVER_BUDGET = "over_budget", "over budget"
    MODERATED = "moderated", "not given to an outside model for what it says"
    SWITCHED_OFF = "switched_off", "switched off by staff"
