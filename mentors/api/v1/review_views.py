"""What people say about sessions with mentors."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from core.operations import APIView, GenericAPIView
from mentors.api.v1.review_serializers import (
    BookingReviewRequestSerializer,
    OwnReviewSerializer,
    ReplyRequestSerializer,
    ReportRequestSerializer,
    ReviewRequestSerializer,
    ReviewSerializer,
)
from mentors.api.v1.views import visible_mentor
from mentors.models import Review
from mentors.selectors import reviews_of_mentor, reviews_received, reviews_to_write
from mentors.services import reviews


class _ReviewsView(GenericAPIView[Review]):
    serializer_class: Any = ReviewSerializer
    queryset = Review.objects.none()
    filter_backends = ()


class MentorReviewsView(_ReviewsView):
    permission_classes = (IsAuthenticatedOrReadOnly,)

    @extend_schema(operation_id="list_mentor_reviews", tags=["reviews"], responses={200: ReviewSerializer(many=True)})
    def get(self, request: Request, mentor_id: Any) -> Response:
        """What people say about a mentor after sessions that they attended, newest first."""
        page = self.paginate_queryset(reviews_of_mentor(visible_mentor(request, mentor_id), request.user))
        return self.get_paginated_response(ReviewSerializer(page, many=True).data)

    @extend_schema(
        operation_id="write_review", tags=["reviews"], request=BookingReviewRequestSerializer, responses={201: OwnReviewSerializer}
    )
    def post(self, request: Request, mentor_id: Any) -> Response:
        """Say how a session was that you attended, within a fortnight. Nobody sees it before the mentor has written as well, or the
        fortnight is over. It does not matter whether the mentor is still there."""
        given = BookingReviewRequestSerializer.read(request)
        own = Review.objects.filter(author=person_of(request), is_of_mentor=True, profile=mentor_id)
        review = get_object_or_404(own, reference=given.pop("booking_id"))
        reviews.write_review(review=review, **given)
        return Response(OwnReviewSerializer(own.select_related("about").get(pk=review.pk)).data, status=201)


class ReviewsToWriteView(_ReviewsView):
    permission_classes = (IsAuthenticated,)
    serializer_class = OwnReviewSerializer

    @extend_schema(operation_id="list_reviews_to_write", tags=["reviews"], responses={200: OwnReviewSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """The sessions about which you can say something now, what closes first ahead."""
        page = self.paginate_queryset(reviews_to_write(person_of(request)))
        return self.get_paginated_response(OwnReviewSerializer(page, many=True).data)


class ReviewsReceivedView(_ReviewsView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="list_reviews_received", tags=["reviews"], responses={200: ReviewSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What can be seen of what others wrote about you, newest first."""
        page = self.paginate_queryset(reviews_received(person_of(request)))
        return self.get_paginated_response(ReviewSerializer(page, many=True).data)


class ReviewView(APIView):
    permission_classes = (IsAuthenticated,)

    def own(self, request: Request, review_id: Any) -> Review:
        return get_object_or_404(Review.objects.filter(author=person_of(request)).select_related("about"), pk=review_id)

    @extend_schema(operation_id="read_own_review", tags=["reviews"], responses={200: OwnReviewSerializer})
    def get(self, request: Request, review_id: Any) -> Response:
        """A review that you wrote, or may write."""
        return Response(OwnReviewSerializer(self.own(request, review_id)).data)

    @extend_schema(operation_id="save_review", tags=["reviews"], request=ReviewRequestSerializer, responses={200: OwnReviewSerializer})
    def put(self, request: Request, review_id: Any) -> Response:
        """Write a review, or change it. Once it can be seen the rating stays, and others see that you changed your words."""
        given = ReviewRequestSerializer.read(request)
        reviews.write_review(review=self.own(request, review_id), **given)
        return Response(OwnReviewSerializer(self.own(request, review_id)).data)

    @extend_schema(operation_id="withdraw_review", tags=["reviews"], responses={204: None})
    def delete(self, request: Request, review_id: Any) -> Response:
        """Take back what you wrote."""
        reviews.withdraw_review(review=self.own(request, review_id))
        return Response(status=204)


class ReplyView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="reply_to_review", tags=["reviews"], request=ReplyRequestSerializer, responses={200: ReviewSerializer})
    def put(self, request: Request, review_id: Any) -> Response:
        """Answer what somebody wrote about you; everybody who reads it reads your answer."""
        person = person_of(request)
        text = ReplyRequestSerializer.read(request)["text"]
        review = get_object_or_404(reviews_received(person), pk=review_id)
        reviews.reply_to_review(user=person, review=review, text=text)
        return Response(ReviewSerializer(reviews_received(person).get(pk=review_id)).data)


class ReportReviewView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="report_review", tags=["reviews"], request=ReportRequestSerializer, responses={202: None})
    def post(self, request: Request, review_id: Any) -> Response:
        """Ask staff to look at a review that should not stand."""
        person = person_of(request)
        review = get_object_or_404(Review.objects.readable_by(person), pk=review_id)
        reviews.report_review(user=person, review=review, **ReportRequestSerializer.read(request))
        return Response(status=202)
