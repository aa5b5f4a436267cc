from django.utils.translation import gettext_lazy as _

from ai.enums import HearingHint
from core.errors import Busy, Conflict, DomainError, NotFound


class InterviewNotFound(NotFound):
    code = "interview_not_found"
    message = _("There is no such interview of yours.")


class InterviewFinished(Conflict):
    code = "interview_finished"
    message = _("This interview is finished. Start a new one to go on.")


class StepAlreadyAnswered(Conflict):
    code = "step_already_answered"
    message = _("This step was answered before, with other words.")


class StepNotAsked(Conflict):
    code = "step_not_asked"
    message = _("This step has not been asked yet.")


class AnswerBeingRead(Busy):
    code = "answer_being_read"
    message = _("This answer is being read. Please ask again in a moment.")


class NothingToGoBackTo(Conflict):
    code = "nothing_to_go_back_to"
    message = _("This is the first question.")


class RecordingNotFound(NotFound):
    code = "recording_not_found"
    message = _("There is no such recording of yours.")


class SuggestionNotFound(NotFound):
    code = "suggestion_not_found"
    message = _("There is no such suggestion for you.")


class SuggestionDecided(Conflict):
    code = "suggestion_decided"
    message = _("You have answered this before.")


class NothingLearned(Conflict):
    code = "nothing_learned"
    message = _("Please answer at least one question first.")


class NothingHeard(DomainError):
    code = "nothing_heard"
    status = 400
    message = _("There are no words in this recording.")

    @staticmethod
    def words(hint: str) -> str:
        """What to tell the person."""
        return str(HearingHint(hint).label)


class TrainingIsRunning(Conflict):
    code = "training_is_running"
    message = _("A ranker is being learned elsewhere right now.")


class NothingToRollBackTo(Conflict):
    code = "nothing_to_roll_back_to"
    message = _("No learned ranker was ever adopted.")
