"""Bodies as clients send them: without a length, compressed, in other encodings, cut off, doubled, and too many parts."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import pytest
from django.test import Client, RequestFactory
from rest_framework.exceptions import ParseError

from conftest import Api
from core.parsers import UploadParser
from core.request_bodies import LARGEST_BODY, MeasuredBodies

pytestmark = pytest.mark.django_db

BOUNDARY = "xxYYzz"


def send(environ: dict[str, Any]) -> tuple[int, dict[str, Any], Any]:
    """What the WSGI application answers, and the environment that Django got, if it got one."""
    seen: dict[str, Any] = {}
    status = []

    def django(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ | {"body": environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))})
        start_response("200 OK", [])
        return [b"{}"]

    content = b"".join(MeasuredBodies(django)(environ, lambda line, headers: status.append(int(line[:3]))))
    return status[0], seen, json.loads(content)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("chunked", [{"HTTP_TRANSFER_ENCODING": "chunked"}, {}])
def test_a_body_without_a_length_is_read_and_measured(method: str, chunked: dict[str, str]) -> None:
    """Chunked, and as in HTTP/2, where nothing announces a body."""
    body = b'{"full_name": "Ada"}'
    status, seen, _ = send({"REQUEST_METHOD": method, "wsgi.input": io.BytesIO(body), **chunked})
    assert (status, seen["CONTENT_LENGTH"], seen["body"]) == (200, str(len(body)), body)


def test_a_body_without_a_length_is_bounded() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"x" * size

    endless = Endless()
    status, seen, answer = send({"REQUEST_METHOD": "POST", "wsgi.input": endless})
    assert (status, seen, answer["code"]) == (413, {}, "body_too_large")
    assert endless.given < LARGEST_BODY + 200_000


def test_two_lengths_are_refused() -> None:
    environ = {"REQUEST_METHOD": "POST", "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "2", "wsgi.input": io.BytesIO(b"{}")}
    assert send(environ)[0] == 400


def test_a_stated_length_is_left_alone() -> None:
    status, seen, _ = send({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "2", "wsgi.input": io.BytesIO(b"{}more")})
    assert (status, seen["body"]) == (200, b"{}")


@pytest.mark.parametrize(
    ("content_type", "body", "headers", "status", "code"),
    [
        ("application/json", b"", {}, 400, "malformed_body"),
        ("application/json", b'{"bio": "a", "bio": "b"}', {}, 400, "malformed_body"),
        ("application/json", b'{"accessibility": {"captions": true, "captions": false}}', {}, 400, "malformed_body"),
        ("application/json", b'\xef\xbb\xbf{"bio": "a"}', {}, 400, "malformed_body"),
        ("application/json", b'{"bio": 1e999}', {}, 400, "malformed_body"),
        ("application/json", b'{"bio": "a"} {}', {}, 400, "malformed_body"),
        ("application/json", b'{"bio": "a"}', {"HTTP_CONTENT_ENCODING": "gzip"}, 415, "unsupported_media_type"),
        ("application/json", b'{"bio": "a"}', {"HTTP_CONTENT_ENCODING": "br"}, 415, "unsupported_media_type"),
        ("application/json; charset=latin-1", b'{"bio": "a"}', {}, 415, "unsupported_media_type"),
        ("application/json; charset=base64", b'{"bio": "a"}', {}, 415, "unsupported_media_type"),
        ("application/json; charset=nonsense", b'{"bio": "a"}', {}, 415, "unsupported_media_type"),
        ("", b'{"bio": "a"}', {}, 415, "unsupported_media_type"),
        ("text/plain", b'{"bio": "a"}', {}, 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", b'{"bio": "a"}', {}, 415, "unsupported_media_type"),
        ("application/json; charset=UTF-8", b'{"bio": "a"}', {}, 200, ""),
        ("application/json", b'{"bio": "a"}', {"HTTP_CONTENT_ENCODING": "identity"}, 200, ""),
    ],
)
def test_a_body_is_json_as_it_is_or_refused(
    signed_in: Api, content_type: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    named = {"HTTP_AUTHORIZATION": f"Bearer {signed_in.token}"} | headers
    answer = Client().generic("PATCH", "/api/v1/users/me", body, content_type=content_type, **named)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json().get("code", "")) == (status, code), answer.content


def test_what_takes_no_body_ignores_none(signed_in: Api) -> None:
    for method, path in (("DELETE", "ai-profiling/profile/inferred"), ("DELETE", "users/me")):
        answer = signed_in.call(method, path, {"really": True})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unknown_field"), path
    assert signed_in.get("users/me").status_code == 200


def form(*parts: tuple[str, str, bytes]) -> bytes:
    lines = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {names}\r\nContent-Type: {kind}\r\n\r\n".encode() + content + b"\r\n"
        for names, kind, content in parts
    )
    return lines + f"--{BOUNDARY}--\r\n".encode()


def upload(api: Api, body: bytes, **headers: Any) -> Any:
    headers["HTTP_AUTHORIZATION"] = f"Bearer {api.token}"
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return Client(raise_request_exception=False).generic("POST", "/api/v1/ai-profiling/submit-answer", body, content_type=kind, **headers)


def test_forms_with_too_many_parts_are_refused(signed_in: Api) -> None:
    files = form(*((f'name="f{number}"; filename="a"', "text/plain", b"x") for number in range(3_000)))
    names = form(*((f'name="n{number}"', "text/plain", b"x") for number in range(3_000)))
    for body in (files, names):
        answer = upload(signed_in, body)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    client = Client(raise_request_exception=False)
    for path in ("/sign-in/", "/admin/login/", "/webhooks/sendgrid", "/api/v1/payments/webhooks/stripe"):
        for body in (files, names):
            answer = client.generic("POST", path, body, content_type=f"multipart/form-data; boundary={BOUNDARY}")
            assert 400 <= answer.status_code < 500, path


def test_a_form_that_is_cut_off_or_doubled_is_refused(signed_in: Api) -> None:
    whole = form(('name=answer_audio; filename="a.wav"', "audio/wav", b"RIFF" * 100))
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    request = RequestFactory().generic("POST", "/", whole, content_type=kind)
    for content, is_whole in ((whole, True), (whole[:-200], False)):
        context = {"request": request, "view": None, "encoding": "utf-8"}
        with contextlib.nullcontext() if is_whole else pytest.raises(ParseError, match="shorter"):
            UploadParser().parse(io.BytesIO(content), kind, context)
    twice = upload(signed_in, form(("name=step", "text/plain", b"1"), ("name=step", "text/plain", b"2")))
    assert {"field": "step", "code": "repeated_field", "detail": "Send this field once."} in twice.json()["errors"]


@pytest.mark.parametrize("parameter", ["charset*=nope''%41", "charset*=idna''%ff", "boundary*=nope''%41"])
def test_a_content_type_that_cannot_be_read_is_refused(parameter: str) -> None:
    status, seen, answer = send({"REQUEST_METHOD": "PATCH", "CONTENT_TYPE": f"application/json; {parameter}", "wsgi.input": io.BytesIO()})
    assert (status, seen, answer["code"]) == (415, {}, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/mentors/", "/", "/api/v1/mentors", "/media/x.webp"])
def test_an_address_with_too_many_parameters_is_refused_at_once(client: Client, settings: Any, path: str) -> None:
    """Also while DEBUG is on, where Django's own page about it takes half a minute."""
    settings.DEBUG = True
    query = "&".join(f"a{number}=1" for number in range(1_001))
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 400
    assert len(answer.content) < 5_000


def test_a_name_that_no_file_can_have_is_not_found(client: Client) -> None:
    assert client.get(f"/media/{'a' * 300}.webp").status_code == 404
