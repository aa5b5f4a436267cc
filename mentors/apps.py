from django.apps import AppConfig


class MentorsConfig(AppConfig):
    name = "mentors"
    verbose_name = "Mentors"

    def ready(self) -> None:
        from mentors import handlers, notices, privacy  # noqa: F401  (register themselves)
        from mentors.services import profiles  # noqa: F401  (registers itself)
