from django.urls import path

from catalog.api.v1 import views

urlpatterns = [
    path("categories", views.CategoryListView.as_view(), name="categories"),
    path("categories/<slug:slug>", views.CategoryView.as_view(), name="category"),
    path("opportunities", views.OpportunityListView.as_view(), name="opportunities"),
    path("opportunities/search", views.OpportunitySearchView.as_view(), name="opportunity-search"),
    path("opportunities/<uuid:opportunity_id>", views.OpportunityView.as_view(), name="opportunity"),
]
