from django.urls import include, path

from catalog.api.v1 import posting_views, reaction_views, search_views, views

_OPPORTUNITIES = [
    path("search", views.OpportunitySearchView.as_view(), name="opportunity-search"),
    path("facets", views.OpportunityFacetsView.as_view(), name="opportunity-facets"),
    path("mine", posting_views.OwnOpportunitiesView.as_view(), name="own-opportunities"),
    path("reviews", posting_views.ReviewQueueView.as_view(), name="posting-reviews"),
    path("saved", reaction_views.SavedView.as_view(), name="saved-opportunities"),
    path("dismissed", reaction_views.DismissedView.as_view(), name="dismissed-opportunities"),
    path("applied", reaction_views.AppliedView.as_view(), name="applied-opportunities"),
    path("<uuid:opportunity_id>", views.OpportunityView.as_view(), name="opportunity"),
    path("<uuid:opportunity_id>/open", reaction_views.OpenView.as_view(), name="open-opportunity"),
    path("<uuid:opportunity_id>/save", reaction_views.SaveView.as_view(), name="save-opportunity"),
    path("<uuid:opportunity_id>/dismiss", reaction_views.DismissView.as_view(), name="dismiss-opportunity"),
    path("<uuid:opportunity_id>/apply", reaction_views.ApplyView.as_view(), name="apply-for-opportunity"),
    path("<uuid:opportunity_id>/submit", posting_views.SubmitView.as_view(), name="submit-opportunity"),
    path("<uuid:opportunity_id>/pause", posting_views.PauseView.as_view(), name="pause-opportunity"),
    path("<uuid:opportunity_id>/resume", posting_views.ResumeView.as_view(), name="resume-opportunity"),
    path("<uuid:opportunity_id>/confirm", posting_views.ConfirmView.as_view(), name="confirm-opportunity"),
    path("<uuid:opportunity_id>/approve", posting_views.ApproveView.as_view(), name="approve-opportunity"),
    path("<uuid:opportunity_id>/reject", posting_views.RejectView.as_view(), name="reject-opportunity"),
]

urlpatterns = [
    path("categories", views.CategoryListView.as_view(), name="categories"),
    path("categories/<slug:slug>", views.CategoryView.as_view(), name="category"),
    path("skills", views.SkillsView.as_view(), name="skills"),
    path("skills/<uuid:skill_id>", views.SkillView.as_view(), name="skill"),
    path("opportunities", views.OpportunityListView.as_view(), name="opportunities"),
    path("opportunities/", include(_OPPORTUNITIES)),
    path("saved-searches", search_views.SavedSearchesView.as_view(), name="saved-searches"),
    path("saved-searches/<uuid:search_id>", search_views.SavedSearchView.as_view(), name="saved-search"),
    path("saved-searches/<uuid:search_id>/seen", search_views.SavedSearchSeenView.as_view(), name="saved-search-seen"),
    path("organisations", posting_views.OrganisationsView.as_view(), name="organisations"),
    path("organisations/<slug:slug>", posting_views.OrganisationView.as_view(), name="organisation"),
    path("organisations/<slug:slug>/state", posting_views.OrganisationStateView.as_view(), name="organisation-state"),
    path("organisations/<slug:slug>/members", posting_views.MembersView.as_view(), name="organisation-members"),
    path("organisations/<slug:slug>/members/<uuid:user_id>", posting_views.MemberView.as_view(), name="organisation-member"),
]
