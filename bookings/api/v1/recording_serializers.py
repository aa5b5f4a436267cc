from __future__ import annotations

from typing import Any

from core import serializers
from core.serializers import RequestSerializer


class RecordingConsentRequestSerializer(RequestSerializer):
    agrees = serializers.BooleanField()
    text_version = serializers.IntegerField(min_value=1, help_text="Of the text that was shown.")


class SessionRecordingSerializer(serializers.Serializer[Any]):
    """Whether this session is recorded, and who agrees to that. `text` is to be shown before anybody agrees."""

    is_possible = serializers.BooleanField(help_text="Never for several, or with somebody under 18.")
    text = serializers.CharField()
    text_version = serializers.IntegerField()
    you_agree = serializers.BooleanField()
    other_agrees = serializers.BooleanField()
    is_running = serializers.BooleanField()
    can_be_watched = serializers.BooleanField()


class RecordingLinkSerializer(serializers.Serializer[Any]):
    url = serializers.URLField()
    expires_at = serializers.DateTimeField()
