from django.urls import path

from catalog.api.v1 import posting_views, reaction_views, views

urlpatterns = [
    path("categories", views.CategoryListView.as_view(), name="categories"),
    path("categories/<slug:slug>", views.CategoryView.as_view(), name="category"),
    path("skills", views.SkillsView.as_view(), name="skills"),
    path("skills/<uuid:skill_id>", views.SkillView.as_view(), name="skill"),
    path("opportunities", views.OpportunityListView.as_view(), name="opportunities"),
    path("opportunities/search", views.OpportunitySearchView.as_view(), name="opportunity-search"),
    path("opportunities/mine", posting_views.OwnOpportunitiesView.as_view(), name="own-opportunities"),
    path("opportunities/reviews", posting_views.ReviewQueueView.as_view(), name="posting-reviews"),
    path("opportunities/saved", reaction_views.SavedView.as_view(), name="saved-opportunities"),
    path("opportunities/dismissed", reaction_views.DismissedView.as_view(), name="dismissed-opportunities"),
    path("opportunities/applied", reaction_views.AppliedView.as_view(), name="applied-opportunities"),
    path("opportunities/<uuid:opportunity_id>", views.OpportunityView.as_view(), name="opportunity"),
    path("opportunities/<uuid:opportunity_id>/open", reaction_views.OpenView.as_view(), name="open-opportunity"),
    path("opportunities/<uuid:opportunity_id>/save", reaction_views.SaveView.as_view(), name="save-opportunity"),
    path("opportunities/<uuid:opportunity_id>/dismiss", reaction_views.DismissView.as_view(), name="dismiss-opportunity"),
    path("opportunities/<uuid:opportunity_id>/apply", reaction_views.ApplyView.as_view(), name="apply-for-opportunity"),
    path("opportunities/<uuid:opportunity_id>/submit", posting_views.SubmitView.as_view(), name="submit-opportunity"),
    path("opportunities/<uuid:opportunity_id>/pause", posting_views.PauseView.as_view(), name="pause-opportunity"),
    path("opportunities/<uuid:opportunity_id>/resume", posting_views.ResumeView.as_view(), name="resume-opportunity"),
    path("opportunities/<uuid:opportunity_id>/confirm", posting_views.ConfirmView.as_view(), name="confirm-opportunity"),
    path("opportunities/<uuid:opportunity_id>/approve", posting_views.ApproveView.as_view(), name="approve-opportunity"),
    path("opportunities/<uuid:opportunity_id>/reject", posting_views.RejectView.as_view(), name="reject-opportunity"),
    path("organisations", posting_views.OrganisationsView.as_view(), name="organisations"),
    path("organisations/<slug:slug>", posting_views.OrganisationView.as_view(), name="organisation"),
    path("organisations/<slug:slug>/state", posting_views.OrganisationStateView.as_view(), name="organisation-state"),
    path("organisations/<slug:slug>/members", posting_views.MembersView.as_view(), name="organisation-members"),
    path("organisations/<slug:slug>/members/<uuid:user_id>", posting_views.MemberView.as_view(), name="organisation-member"),
]
