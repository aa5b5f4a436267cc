from django.urls import path

from payments.api.v1 import views

urlpatterns = [
    path("payments", views.PaymentsView.as_view(), name="payments"),
    path("payments/create-intent", views.CreateIntentView.as_view(), name="create-payment-intent"),
    path("payments/history.csv", views.HistoryView.as_view(), name="payment-history"),
    path("payments/<uuid:payment_id>", views.PaymentView.as_view(), name="payment"),
    path("payments/<uuid:payment_id>/receipt.pdf", views.ReceiptView.as_view(), name="payment-receipt"),
    path("payouts", views.EarningsView.as_view(), name="earnings"),
    path("payouts/movements", views.EarningsMovementsView.as_view(), name="earnings-movements"),
    path("payouts/onboarding", views.OnboardingView.as_view(), name="payout-onboarding"),
]
