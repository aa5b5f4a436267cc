from __future__ import annotations

import io
import struct
import zlib
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import RetiredHandle, User
from accounts.services.profile import handle_digest
from accounts.tests.test_safety import last_code, last_link
from conftest import PASSWORD, Api
from core import auditing
from core.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    """Files of each test in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        name: {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / place, "base_url": "/media/"}}
        for name, place in (("default", "public"), ("private", "private"))
    }


class TestProfile:
    def test_every_field_of_ones_own(self, signed_in: Api) -> None:
        changes = {
            "full_name": "Ada Lovelace",
            "handle": "Ada_L",
            "bio": "Counts.",
            "languages": ["en", "pt-BR"],
            "birth_date": "1990-12-10",
            "time_zone": "Europe/London",
            "locale": "en-GB",
            "accessibility": {"reduced_motion": True, "voice_first": True},
        }
        body = signed_in.patch("users/me", changes).json()
        assert body == signed_in.get("users/me").json()
        assert (body["handle"], body["languages"], body["age_band"]) == ("ada_l", ["en", "pt-BR"], "adult")
        assert body["accessibility"] == {
            "reduced_motion": True,
            "captions": False,
            "screen_reader": False,
            "voice_first": True,
            "plain_language": False,
        }
        assert signed_in.patch("users/me", {}).json() == body

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"handle": "admin"}, "handle", "reserved_handle"),
            ({"handle": "a"}, "handle", "invalid_handle"),
            ({"handle": ""}, "handle", "blank"),
            ({"bio": "x" * 2001}, "bio", "max_length"),
            ({"languages": "en"}, "languages", "not_a_list"),
            ({"languages": ["english"]}, "languages.0", "invalid"),
            ({"languages": ["en"] * 21}, "languages", "max_length"),
            ({"birth_date": "2999-01-01"}, "birth_date", "invalid_birth_date"),
            ({"time_zone": "UTC+2"}, "time_zone", "invalid_time_zone"),
            ({"time_zone": "Etc/Unknown"}, "time_zone", "invalid_time_zone"),
            ({"accessibility": {"captions": "maybe"}}, "accessibility.captions", "invalid"),
            ({"accessibility": {"telepathy": True}}, "accessibility.telepathy", "unknown_field"),
            ({"accessibility": []}, "accessibility", "invalid"),
            ({"role": "staff"}, "role", "unknown_field"),
            ({"is_active": False}, "is_active", "unknown_field"),
            ({"avatar": "x"}, "avatar", "unknown_field"),
        ],
    )
    def test_bad_input_names_field_and_rule(self, signed_in: Api, change: dict[str, Any], field: str, code: str) -> None:
        answer = signed_in.patch("users/me", change)
        assert answer.status_code == 400
        assert (field, code) in {(error["field"], error["code"]) for error in answer.json()["errors"]}

    def test_an_old_name_of_a_time_zone_is_stored_under_the_present_one(self, signed_in: Api) -> None:
        assert signed_in.patch("users/me", {"time_zone": "Asia/Calcutta"}).json()["time_zone"] == "Asia/Kolkata"

    def test_a_handle_is_one_persons_and_nobodys_after_an_erased_one(self, signed_in: Api, make_user: Any) -> None:
        make_user(handle="taken")
        RetiredHandle.objects.create(digest=handle_digest("gone"))
        for handle in ("taken", "TAKEN", "gone"):
            answer = signed_in.patch("users/me", {"handle": handle})
            assert (answer.status_code, answer.json()["code"]) == (400, "handle_taken")
        assert signed_in.patch("users/me", {"handle": "free"}).status_code == 200
        assert signed_in.patch("users/me", {"handle": None}).json()["handle"] is None

    def test_the_birth_date_is_told_once(self, signed_in: Api) -> None:
        assert signed_in.patch("users/me", {"birth_date": "1990-01-01"}).status_code == 200
        assert signed_in.patch("users/me", {"birth_date": "1990-01-01"}).status_code == 200
        answer = signed_in.patch("users/me", {"birth_date": "2010-01-01"})
        assert (answer.status_code, answer.json()["code"]) == (409, "birth_date_is_set")


class TestEmailChange:
    def test_the_old_address_stays_until_the_new_one_is_proven_and_both_are_told(self, signed_in: Api, user: User) -> None:
        answer = signed_in.post("users/me/email", {"email": "New@Example.org"})
        assert (answer.status_code, answer.json()) == (202, {"email": "new@example.org"})
        assert Api().post("auth/login", {"email": user.email, "password": PASSWORD}).status_code == 200
        assert Api().post("auth/login", {"email": "new@example.org", "password": PASSWORD}).status_code == 401
        stranger = Api().post("auth/verify-email", {"key": last_code()})
        assert (stranger.status_code, stranger.json()["code"]) == (403, "confirm_signed_in"), "nobody is given an account by a click"
        assert signed_in.post("auth/verify-email", {"key": last_code()}).json()["email"] == "new@example.org"
        assert {message.to[0] for message in mail.outbox[-2:]} == {user.email, "new@example.org"}
        assert Api().post("auth/login", {"email": user.email, "password": PASSWORD}).status_code == 401
        assert Api().post("auth/login", {"email": "new@example.org", "password": PASSWORD}).status_code == 200
        assert signed_in.get("auth/security-log").json()["results"][1]["kind"] == "email_changed"

    def test_a_taken_address_gets_the_same_answer(self, signed_in: Api, make_user: Any) -> None:
        other = make_user()
        answer = signed_in.post("users/me/email", {"email": other.email})
        assert (answer.status_code, answer.json()) == (202, {"email": other.email})
        assert "verify-email" not in str(mail.outbox[-1].body)

    def test_an_address_that_was_taken_meanwhile_is_refused(self, signed_in: Api, make_user: Any) -> None:
        signed_in.post("users/me/email", {"email": "new@example.org"})
        key = last_code()
        make_user("new@example.org")
        answer = Api().post("auth/verify-email", {"key": key, "password": PASSWORD})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "email_taken")

    def test_asks_for_a_fresh_sign_in(self, signed_in: Api, user: User, ages_ago: Any) -> None:
        ages_ago(user)
        assert signed_in.post("users/me/email", {"email": "new@example.org"}).json()["code"] == "fresh_sign_in_required"

    @pytest.mark.parametrize("email", ["Ada@Bücher.example", "ADA@xn--bcher-kva.EXAMPLE"])
    def test_one_address_has_one_form(self, api: Api, email: str) -> None:
        api.post("auth/register", {"email": email, "password": "a-long-pass-phrase", "full_name": "Ada"})
        assert User.objects.get().email == "ada@xn--bcher-kva.example"

    @pytest.mark.parametrize("email", ["Ada@example.org", "dıdı@example.org", "a@bücher.example", "a@localhost", '"a b"@example.org'])
    def test_the_database_takes_no_other_form(self, make_user: Any, email: str) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=make_user().pk).update(email=email)

    def test_the_admin_stores_it_in_the_same_form(self, staff: User) -> None:
        browser = Client()
        browser.force_login(staff)
        fields = {"full_name": "Ada", "password1": PASSWORD, "password2": PASSWORD}
        for email in ("hähnchen@example.org", "x@localhost", "x@ward.invalid"):
            assert browser.post("/admin/accounts/user/add/", fields | {"email": email}).status_code == 200
        assert browser.post("/admin/accounts/user/add/", fields | {"email": "Ada@Straße.example"}).status_code == 302
        assert User.objects.exclude(pk=staff.pk).get().email == "ada@xn--strae-oqa.example"

    @pytest.mark.parametrize(
        "email",
        [
            "x" * 308 + "@example.org",
            "a@b",
            "a b@example.org",
            "@example.org",
            "a@" + "x" * 70 + ".org",
            "ä@example.org",
            "dıdı@example.org",
            "x@localhost",
            "x@[127.0.0.1]",
            "x" * 65 + "@example.org",
            "a@exa\nmple.org",
        ],
    )
    def test_what_is_no_address_is_refused_everywhere(self, api: Api, email: str) -> None:
        for path in ("auth/password/reset", "auth/login/code", "auth/verify-email/resend"):
            answer = api.post(path, {"email": email})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "email")


class TestPublicView:
    def test_shows_what_is_public(self, signed_in: Api, make_user: Any) -> None:
        other = make_user(full_name="Grace", handle="grace", birth_date=date(1990, 1, 1), bio="Ships.", screen_reader=True)
        assert signed_in.get(f"users/{other.pk}").json().keys() == {
            "id", "handle", "full_name", "bio", "languages", "avatar", "role", "created_at",
        }  # fmt: skip

    @pytest.mark.parametrize("state", ["minor", "suspended", "erased"])
    def test_minors_and_people_who_left_have_none(self, signed_in: Api, make_user: Any, state: str) -> None:
        fields: dict[str, Any] = {
            "minor": {"birth_date": timezone.now().date() - timedelta(days=16 * 365)},
            "suspended": {"is_active": False, "suspended_at": timezone.now()},
            "erased": {"is_active": False, "erased_at": timezone.now()},
        }[state]
        assert signed_in.get(f"users/{make_user(**fields).pk}").status_code == 404


def picture(*, size: tuple[int, int] = (640, 480), kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **options)
    return out.getvalue()


def stored(name: str) -> bytes:
    with default_storage.open(name) as file:
        content: bytes = file.read()
    return content


def put(api: Api, content: bytes, name: str = "me.jpg") -> Any:
    body = {"image": SimpleUploadedFile(name, content, "image/jpeg")}
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    return api._client.put(
        "/api/v1/users/me/avatar",
        encode_multipart(BOUNDARY, body),
        content_type=MULTIPART_CONTENT,
        HTTP_AUTHORIZATION=f"Bearer {api.token}",
    )


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it has 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\x00" * 1000)) + chunk(b"IEND", b"")


class TestAvatar:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
    def test_is_cut_square_and_encoded_anew_whatever_it_is_called(self, signed_in: Api, client: Client, kind: str) -> None:
        answer = put(signed_in, picture(kind=kind), "holiday.txt")
        assert answer.status_code == 200, answer.content
        for width, address in answer.json()["avatar"].items():
            page = client.get(address)
            content = b"".join(page.streaming_content)
            with Image.open(io.BytesIO(content)) as image:
                assert (image.format, image.size) == ("WEBP", (int(width), int(width)))
            assert (page["Content-Type"], page["X-Content-Type-Options"]) == ("image/webp", "nosniff")
            assert "sandbox" in page["Content-Security-Policy"]

    def test_where_it_was_taken_is_gone(self, signed_in: Api, user: User) -> None:
        exif = Image.Exif()
        exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 29: "CANARY-GPS"}
        exif[0x010E] = "CANARY-DESCRIPTION"
        content = picture(exif=exif, comment=b"CANARY-COMMENT")
        assert b"CANARY" in content
        put(signed_in, content)
        user.refresh_from_db()
        for width in (96, 512):
            kept = stored(f"{user.avatar}-{width}.webp")
            assert b"CANARY" not in kept and b"EXIF" not in kept

    def test_a_turned_camera_is_turned_back(self, signed_in: Api, user: User) -> None:
        image = Image.new("RGB", (100, 100), "blue")
        image.paste("red", (0, 0, 100, 50))
        exif = Image.Exif()
        exif[0x0112] = 3
        out = io.BytesIO()
        image.save(out, "JPEG", exif=exif, quality=95)
        put(signed_in, out.getvalue())
        user.refresh_from_db()
        with Image.open(io.BytesIO(stored(f"{user.avatar}-96.webp"))) as kept:
            red, _, blue = kept.convert("RGB").getpixel((48, 10))
        assert blue > 150 > red

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"not an image",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            b"GIF89a" + b"<script>alert(1)</script>",
            b"%PDF-1.7",
            b"PK\x03\x04",
            b"\x00" * 100,
            b"II*\x00" + b"\x00" * 50,
            bomb(),
            picture()[:200],
            picture(kind="PNG")[:60],
            picture(kind="WEBP")[:40],
            picture(kind="BMP"),
            picture(kind="TIFF"),
        ],
    )
    def test_what_lies_about_its_type_or_is_broken_is_refused(self, signed_in: Api, user: User, content: bytes) -> None:
        answer = put(signed_in, content)
        assert answer.status_code == 400, answer.content
        assert answer.json()["errors"][0]["field"] == "image"
        user.refresh_from_db()
        assert not user.avatar

    def test_a_polyglot_loses_its_other_half(self, signed_in: Api, user: User) -> None:
        assert put(signed_in, picture() + b"<script>CANARY</script>PK\x03\x04").status_code == 200
        user.refresh_from_db()
        assert b"CANARY" not in stored(f"{user.avatar}-512.webp")

    def test_too_much_is_413(self, signed_in: Api) -> None:
        assert put(signed_in, picture() + b"\x00" * 5_000_001).status_code == 413
        assert put(signed_in, b"\x00" * 5_005_000).status_code == 413

    def test_a_missing_file_or_another_form_is_refused(self, signed_in: Api) -> None:
        answer = signed_in._client.put(
            "/api/v1/users/me/avatar",
            b"--x--\r\n",
            content_type="multipart/form-data; boundary=x",
            HTTP_AUTHORIZATION=f"Bearer {signed_in.token}",
        )
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "image")
        assert signed_in.call("PUT", "users/me/avatar", {"image": "x"}).status_code == 415

    def test_the_former_picture_is_deleted(self, signed_in: Api, user: User, django_capture_on_commit_callbacks: Any) -> None:
        put(signed_in, picture())
        user.refresh_from_db()
        former = user.avatar
        with django_capture_on_commit_callbacks(execute=True):
            put(signed_in, picture())
        assert not default_storage.exists(f"{former}-96.webp")
        with django_capture_on_commit_callbacks(execute=True):
            assert signed_in.delete("users/me/avatar").status_code == 204
        assert signed_in.get("users/me").json()["avatar"] is None
        assert default_storage.listdir(f"avatars/{user.pk}")[1] == []
        assert signed_in.delete("users/me/avatar").status_code == 204

    @pytest.mark.parametrize("path", ["../private/x.webp", "avatars/../../x.webp", "avatars/x.html", "avatars", "%2e%2e/x.webp"])
    def test_the_media_folder_gives_pictures_alone(self, client: Client, path: str) -> None:
        assert client.get(f"/media/{path}").status_code in (400, 404)


class TestStaff:
    def test_create_change_and_read(self, staff_api: Api, staff: User) -> None:
        made = staff_api.post("users", {"email": "Hire@example.org", "full_name": "Hired", "role": "moderator"})
        assert made.status_code == 201, made.content
        person = made.json()
        assert (person["email"], person["role"], person["is_active"]) == ("hire@example.org", "moderator", True)
        assert not {"reduced_motion", "accessibility", "password"} & person.keys()
        key = last_link("reset-password")
        assert Api().post("auth/password/reset/confirm", {"key": key, "password": "their-own-pass-phrase"}).status_code == 200
        assert Api().post("auth/login", {"email": "hire@example.org", "password": "their-own-pass-phrase"}).status_code == 200
        changed = staff_api.patch(f"users/{person['id']}/account", {"full_name": "Renamed", "role": "member", "birth_date": None})
        assert (changed.json()["full_name"], changed.json()["role"]) == ("Renamed", "member")
        assert staff_api.get(f"users/{person['id']}/account").json() == changed.json()
        again = staff_api.post("users", {"email": "hire@example.org", "full_name": "Again"})
        assert again.json()["errors"][0]["code"] == "email_taken"

    def test_search_and_filters(self, staff_api: Api, make_user: Any) -> None:
        make_user("needle@example.org", full_name="A")
        make_user(full_name="Needle B", role="mentor")
        make_user(handle="needle_c", is_active=False)
        names = lambda query: {row["email"] for row in staff_api.get(f"users?{query}").json()["results"]}  # noqa: E731
        assert len(names("q=NEEDLE")) == 3
        assert len(names("q=needle&role=mentor")) == 1
        assert len(names("q=needle&is_active=false")) == 1
        assert staff_api.get("users?role=king").json()["errors"][0]["field"] == "role"
        assert staff_api.get("users?nonsense=1").json()["errors"][0]["code"] == "unknown_parameter"

    def test_suspend_and_reinstate(self, staff_api: Api, signed_in: Api, user: User) -> None:
        assert staff_api.post(f"users/{user.pk}/suspend", {}).json()["errors"][0]["field"] == "reason"
        answer = staff_api.post(f"users/{user.pk}/suspend", {"reason": "spam"})
        assert (answer.status_code, answer.json()["suspension_reason"]) == (200, "spam")
        assert signed_in.get("users/me").status_code == 401
        assert staff_api.post(f"users/{user.pk}/suspend", {"reason": "spam"}).status_code == 409
        assert staff_api.post(f"users/{user.pk}/reinstate").json()["is_active"] is True
        assert staff_api.post(f"users/{user.pk}/reinstate").status_code == 409
        assert Api().post("auth/login", {"email": user.email, "password": PASSWORD}).status_code == 200

    def test_only_a_superuser_makes_or_touches_staff(self, make_user: Any, staff: User) -> None:
        clerk = make_user(role="staff")
        api = Api().sign_in(clerk)
        other = make_user()
        assert api.patch(f"users/{other.pk}/account", {"role": "staff"}).status_code == 403
        assert api.post("users", {"email": "x@example.org", "full_name": "X", "role": "staff"}).status_code == 403
        assert api.patch(f"users/{staff.pk}/account", {"role": "member"}).status_code == 403
        assert api.post(f"users/{staff.pk}/suspend", {"reason": "x"}).status_code == 403
        assert api.patch(f"users/{staff.pk}/account", {"full_name": "Renamed"}).status_code == 403
        assert api.delete(f"users/{staff.pk}/account").status_code == 403
        assert api.patch(f"users/{clerk.pk}/account", {"role": "member"}).status_code == 403
        assert api.post(f"users/{clerk.pk}/suspend", {"reason": "x"}).status_code == 403
        root = Api().sign_in(staff)
        assert root.patch(f"users/{other.pk}/account", {"role": "staff"}).json()["is_staff"] is True
        second = make_user(role="staff", is_superuser=True)
        assert root.patch(f"users/{second.pk}/account", {"role": "member"}).json()["is_staff"] is False
        assert not User.objects.get(pk=second.pk).is_superuser

    def test_what_staff_look_at_and_change_is_on_record(self, staff_api: Api, staff: User, user: User, client: Client) -> None:
        staff_api.get("users")
        staff_api.get(f"users/{user.pk}")
        staff_api.get(f"users/{user.pk}/account")
        staff_api.patch(f"users/{user.pk}/account", {"full_name": "Secretly renamed"})
        staff_api.post(f"users/{user.pk}/suspend", {"reason": "x"})
        staff_api.post(f"users/{user.pk}/reinstate")
        staff_api.delete(f"users/{user.pk}/account")
        entries = list(AuditEntry.objects.order_by("number").values_list("action", "thing_id", "actor_id"))
        mine = [(action, str(user.pk), staff.pk) for action in ("viewed", "viewed", "changed", "suspended", "reinstated", "erased")]
        assert entries == [("listed", "", staff.pk), *mine]
        assert AuditEntry.objects.get(action="changed").fields == ["full_name"]
        assert "Secretly renamed" not in str(list(AuditEntry.objects.values()))
        assert auditing.first_broken_entry() is None

    def test_the_admin_is_on_record_too(self, client: Client, staff: User, user: User) -> None:
        client.force_login(staff)
        page = f"/admin/accounts/user/{user.pk}/change/"
        assert client.get("/admin/accounts/user/").status_code == 200
        assert client.get(page).status_code == 200
        form = {"email": user.email, "full_name": "By The Admin", "time_zone": "UTC", "locale": "en", "role": "member", "languages": ""}
        assert client.post(page, form).status_code == 302
        assert list(AuditEntry.objects.order_by("number").values_list("action", flat=True)) == ["listed", "viewed", "changed"]
        assert user.email not in str(list(LogEntry.objects.values()))
        for action in ("suspend", "reinstate", "sign_out", "erase"):
            answer = client.post("/admin/accounts/user/", {"action": action, "_selected_action": [str(user.pk)]})
            assert answer.status_code == 302
        acts = AuditEntry.objects.filter(thing_id=str(user.pk)).exclude(action__in=("viewed", "changed")).order_by("number")
        assert list(acts.values_list("action", flat=True)) == ["suspended", "reinstated", "signed out", "erased"]
        user.refresh_from_db()
        assert not user.is_active
        assert client.post("/admin/accounts/user/", {"action": "suspend", "_selected_action": [str(staff.pk)]}).status_code == 302
        staff.refresh_from_db()
        assert staff.is_active

    def test_in_the_admin_staff_cannot_touch_each_other_without_a_superuser(self, client: Client, make_user: Any, staff: User) -> None:
        clerk = make_user(role="staff")
        clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
        Api().sign_in(staff)
        client.force_login(clerk)
        assert (
            client.post(
                f"/admin/accounts/user/{staff.pk}/password/", {"password1": "taken-over-9", "password2": "taken-over-9"}
            ).status_code
            == 403
        )
        for action in ("suspend", "sign_out", "erase"):
            client.post("/admin/accounts/user/", {"action": action, "_selected_action": [str(staff.pk)]})
        staff.refresh_from_db()
        assert staff.is_active and staff.check_password(PASSWORD) and staff.devices.exists()
        assert not AuditEntry.objects.filter(thing_id=str(staff.pk)).exists()
        other = make_user()
        Api().sign_in(other)
        client.post("/admin/accounts/user/", {"action": "sign_out", "_selected_action": [str(other.pk)]})
        assert not other.devices.exists()
        assert AuditEntry.objects.filter(action="signed out", thing_id=str(other.pk)).exists()
        for _ in range(2):
            Api().sign_in(other)
        first, second = other.devices.order_by("created_at")
        client.post("/admin/accounts/device/", {"action": "sign_out", "_selected_action": [str(first.pk)]})
        assert list(other.devices.all()) == [second]
        assert AuditEntry.objects.filter(action="signed out", thing_id=str(first.pk)).exists()

    def test_the_chain_shows_a_quiet_change(self, staff: User, user: User) -> None:
        from django.db import connection

        for action in ("viewed", "changed", "deleted"):
            auditing.record(actor_id=staff.pk, action=action, thing=user)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE core_auditentry DISABLE TRIGGER audit_entry_append_only")
        AuditEntry.objects.filter(number=2).update(action="viewed")
        assert auditing.first_broken_entry() == 2
        AuditEntry.objects.filter(number=2).update(action="changed")
        AuditEntry.objects.filter(number=2).delete()
        assert auditing.first_broken_entry() == 3

    def test_the_database_refuses_a_change_of_the_log(self, staff: User) -> None:
        from django.db import IntegrityError, transaction

        auditing.record(actor_id=staff.pk, action="viewed", thing=staff)
        for change in (lambda: AuditEntry.objects.update(action="x"), lambda: AuditEntry.objects.all().delete()):
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                change()
