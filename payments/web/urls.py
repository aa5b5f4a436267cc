from django.urls import path

from payments.web.views import ReceiptFile, ReceiptPage

urlpatterns = [
    path("payments/<uuid:payment_id>/receipt", ReceiptPage.as_view(), name="receipt"),
    path("payments/<uuid:payment_id>/receipt.pdf", ReceiptFile.as_view(), name="receipt-pdf"),
]
