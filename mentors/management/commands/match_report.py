from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mentors.services.exposure import exposure_report


class Command(BaseCommand):
    help = "How evenly mentors were shown as matches over the last week: the Gini of their exposure, and groups of them beside each other."

    def handle(self, *args: Any, **options: Any) -> None:
        report = exposure_report()
        self.stdout.write(f"{report.mentors} mentors shown to {report.people} people; Gini of exposure by capacity {report.gini:.3f}")
        for group in report.groups:
            self.stdout.write(
                f"  {group.name}: {group.number} mentors, mean exposure {group.mean_exposure:.2f}, impact ratio {group.impact_ratio:.2f}"
            )
