from django.apps import AppConfig


class ProfilingConfig(AppConfig):
    name = "profiling"
    verbose_name = "Interviews and profiles"

    def ready(self) -> None:
        from profiling import handlers, privacy  # noqa: F401  (each registers itself)
