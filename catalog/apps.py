from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        from catalog import handlers, notices, privacy  # noqa: F401  (register themselves)
        from catalog.api.v1 import filters  # noqa: F401  (says how a saved search narrows down)
        from catalog.services import spaces  # noqa: F401  (registers itself)
