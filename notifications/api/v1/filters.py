from __future__ import annotations

from django_filters import rest_framework as filters

from core.filters import BooleanFilter
from notifications.models import Notification
from notifications.notices import topics


class NotificationFilter(filters.FilterSet):
    unread = BooleanFilter(field_name="read_at", lookup_expr="isnull", help_text="Only what you have not read, or have.")
    topic = filters.ChoiceFilter(choices=lambda: [(topic.name, topic.label) for topic in topics()])

    class Meta:
        model = Notification
        fields = ("unread", "topic")
