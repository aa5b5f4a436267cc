from django.urls import path

from catalog.web import views

urlpatterns = [
    path("opportunities/", views.OpportunitiesPage.as_view(), name="opportunities-page"),
    path("opportunities/<uuid:opportunity_id>", views.OpportunityPage.as_view(), name="opportunity-page"),
]
