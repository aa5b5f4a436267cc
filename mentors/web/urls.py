from django.urls import path

from mentors.web.views import CalendarFile

urlpatterns = [path("calendars/<slug:token>.ics", CalendarFile.as_view(), name="calendar-file")]
