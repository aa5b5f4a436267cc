from django.apps import AppConfig


class AiConfig(AppConfig):
    name = "ai"
    verbose_name = "Artificial intelligence"

    def ready(self) -> None:
        from ai import privacy  # noqa: F401  (registers itself)
