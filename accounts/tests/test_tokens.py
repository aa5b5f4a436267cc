from __future__ import annotations

from accounts.models import User
from accounts.providers.tokens import person_behind
from conftest import Api


def test_the_person_behind_a_token_is_whole(signed_in: Api, user: User) -> None:
    User.objects.filter(pk=user.pk).update(languages=["no", "en"], bio="Likes \\ and 'quotes'", screen_reader=True)
    found = person_behind(signed_in.token)
    assert found is not None
    person, payload = found
    assert payload["sub"] == str(user.pk)
    fields = [field.attname for field in User._meta.concrete_fields]
    stored = User.objects.get(pk=user.pk)
    assert {name: getattr(person, name) for name in fields} == {name: getattr(stored, name) for name in fields}
    person.full_name = "Somebody Else"
    person.save()
    assert User.objects.get(pk=user.pk).full_name == "Somebody Else"


def test_nobody_is_behind_what_is_no_token(db: None) -> None:
    assert person_behind("no token") is None
