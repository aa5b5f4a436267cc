from django.apps import AppConfig


class SooshConfig(AppConfig):
    name = "soosh"
    verbose_name = "Soosh"

    def ready(self) -> None:
        from soosh import checks  # noqa: F401  (registers the start-up checks)
