from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput


class ImportFileUnreadable(InvalidInput):
    code = "import_file_unreadable"
    message = _("The file cannot be read. It must be JSON lines or CSV, plain or gzipped.")


class OpportunityNotOpen(Conflict):
    code = "opportunity_not_open"
    message = _("This opportunity is closed already.")
