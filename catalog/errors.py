from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, DomainError, Forbidden, InvalidInput


class ImportFileUnreadable(InvalidInput):
    code = "import_file_unreadable"
    message = _("The file cannot be read. It must be JSON, a table such as CSV, RSS or a list in Markdown, plain or gzipped.")


class RetiringRefused(Conflict):
    code = "retiring_refused"
    message = _("Nothing was retired.")


class OpportunityNotOpen(Conflict):
    code = "opportunity_not_open"
    message = _("This posting is closed already.")


class IllegalMove(Conflict):
    code = "illegal_move"
    message = _("The opportunity is not in a state for this.")


class DuplicateOpportunity(Conflict):
    code = "duplicate_opportunity"
    message = _("You have posted nearly the same already. Change that one, or close it first.")


class OrganisationMayNotPost(Forbidden):
    code = "organisation_may_not_post"
    message = _("Posting for this organisation is stopped for now.")


class TooManyUnchecked(Conflict):
    code = "too_many_unchecked"
    message = _("Three of your organisations wait to be checked. Please wait until one of them is.")


class LastOwner(Conflict):
    code = "last_owner"
    message = _("An organisation must keep at least one owner.")


class TermNotReplaceable(Conflict):
    code = "term_not_replaceable"
    message = _("Every successor must be active, and none may lie below what it replaces. A category with others below it cannot be split.")


class TermSplit(DomainError):
    code = "term_split"
    status = 410
    message = _("This was split. What it covered is under its successors now.")


class TooManySavedSearches(Conflict):
    code = "too_many_saved_searches"
    message = _("You keep as many searches as one can. Remove one first.")
