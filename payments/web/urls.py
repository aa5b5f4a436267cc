from django.urls import path

from payments.web.views import EarningsPage, EarningsSummaryPage, ReceiptFile, ReceiptPage

urlpatterns = [
    path("payments/<uuid:payment_id>/receipt", ReceiptPage.as_view(), name="receipt"),
    path("payments/<uuid:payment_id>/receipt.pdf", ReceiptFile.as_view(), name="receipt-pdf"),
    path("dashboard/earnings", EarningsPage.as_view(), name="earnings-page"),
    path("dashboard/earnings/summary", EarningsSummaryPage.as_view(), name="earnings-summary"),
]
