from django.apps import AppConfig


class SooshConfig(AppConfig):
    name = "soosh"
    verbose_name = "Soosh"

    def ready(self) -> None:
        from django.contrib import admin

        from soosh import checks  # noqa: F401  (registers the start-up checks)

        admin.site.index_template = "soosh/staff_desk.html"
