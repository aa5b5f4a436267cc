from catalog.management.import_command import ImportCommand
from catalog.services.importing import import_opportunities


class Command(ImportCommand):
    help = "Import opportunities from JSON lines or CSV, plain or gzipped. Running it twice changes nothing."
    run = staticmethod(import_opportunities)
