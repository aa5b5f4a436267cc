from django.utils.translation import gettext_lazy as _

from ai.enums import Outcome
from core.errors import Conflict, DomainError, NotFound


class EngineError(DomainError):
    """An engine could not answer. Callers degrade in a named way; a client meets this only where nothing else is left."""

    code = "engine_unavailable"
    status = 503
    message = _("The language engine did not answer. Please try again in a minute.")
    outcome = Outcome.FAILED


class EngineTimeout(EngineError):
    outcome = Outcome.TIMEOUT


class EngineRateLimited(EngineError):
    outcome = Outcome.RATE_LIMITED


class EngineNonsense(EngineError):
    """The answer was not what was asked for: no JSON, another schema, cut off, or vectors of another width."""

    outcome = Outcome.NONSENSE


class EngineSwitchedOff(EngineError):
    """Staff took the engine out of use."""

    outcome = Outcome.SWITCHED_OFF


class BudgetExceeded(EngineError):
    code = "ai_budget_exceeded"
    status = 429
    message = _("Today's budget for the language engine is used up. It starts afresh at midnight UTC.")
    outcome = Outcome.OVER_BUDGET


class AudioRefused(DomainError):
    """Not audio, broken, too long or too large; `errors` says which."""

    code = "audio_refused"
    status = 400
    message = _("This is not a recording that we can use.")


class UnspeakableText(DomainError):
    code = "unspeakable_text"
    status = 400
    message = _("There is nothing in this text that the voice can say. It speaks English.")


class InputTooLong(DomainError):
    code = "input_too_long"
    status = 400
    message = _("This text is longer than the language engine takes.")


class SpaceMissing(NotFound):
    code = "space_missing"
    message = _("There is no such embedding space.")


class SpaceBusy(Conflict):
    code = "space_busy"
    message = _("Another embedding space stands in the way.")


class SpaceIncomplete(Conflict):
    code = "space_incomplete"
    message = _("The new embedding space is not filled yet.")
