from __future__ import annotations

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from notifications.models import Preferences


@admin.register(Preferences)
class PreferencesAdmin(ReadOnlyAdmin):
    """Staff see why somebody was not told something; what people choose is theirs."""

    list_display = ("user", "quiet_from", "quiet_until", "cadence", "digest_at", "digest_on", "urgent_breaks_through")
    list_filter = ("cadence", "urgent_breaks_through")
    list_select_related = ("user",)
    search_fields = ("=user__email",)
    show_full_result_count = False
