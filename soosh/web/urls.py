from django.urls import path

from soosh.web import views

urlpatterns = [
    path("", views.HomePage.as_view(), name="home"),
    path("help/", views.HelpPage.as_view(), name="help"),
    path("theme/", views.ThemeView.as_view(), name="theme"),
    path("dashboard/", views.DashboardPage.as_view(), name="dashboard"),
]
