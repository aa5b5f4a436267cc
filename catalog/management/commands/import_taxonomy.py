from catalog.management.import_command import ImportCommand
from catalog.services.importing import import_taxonomy


class Command(ImportCommand):
    help = "Import categories, skills or occupations: Soosh's own shape, or files of O*NET, ESCO and GitHub topics."
    run = staticmethod(import_taxonomy)
