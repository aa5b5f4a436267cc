from django.apps import AppConfig


class ProfilingConfig(AppConfig):
    name = "profiling"
    verbose_name = "Interviews and profiles"

    def ready(self) -> None:
        from profiling import handlers  # noqa: F401  (subscribes to events)
