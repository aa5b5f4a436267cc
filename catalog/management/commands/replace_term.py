from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from catalog.models import Category, Skill
from catalog.services.taxonomy import replace_category, replace_skill
from core.errors import DomainError


class Command(BaseCommand):
    help = "Merge a category or skill into another one, or split it into several. Its old address leads to its successors for ever."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=("category", "skill"))
        parser.add_argument("term", help="The slug of the category, or the id of the skill.")
        parser.add_argument("successors", nargs="+", help="One to merge into, or several to split into.")

    def handle(self, **options: Any) -> None:
        is_category = options["kind"] == "category"
        terms: list[Any] = [self._find(is_category, name) for name in (options["term"], *options["successors"])]
        try:
            if is_category:
                replace_category(category=terms[0], successors=terms[1:])
            else:
                with tqdm(unit=" opportunities", desc="indexed anew") as bar:
                    replace_skill(skill=terms[0], successors=terms[1:], progress=bar.update)
        except DomainError as refusal:
            raise CommandError(str(refusal.detail)) from refusal
        self.stdout.write(f"{terms[0]} is replaced by {', '.join(map(str, terms[1:]))}.")

    def _find(self, is_category: bool, name: str) -> Category | Skill:
        try:
            return Category.objects.get(slug=name) if is_category else Skill.objects.get(pk=name)
        except (Category.DoesNotExist, Skill.DoesNotExist, ValidationError) as error:
            raise CommandError(f"There is no {'category' if is_category else 'skill'} {name}.") from error
