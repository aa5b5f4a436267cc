"""OpenID Connect with Google, Apple and LinkedIn: who is it, according to the provider? One client for all, set up by `SIGN_IN_PROVIDERS`.

What is checked of an id_token follows OpenID Connect Core 1.0, section 3.1.3.7: signature by a key that the provider publishes, with an
asymmetric algorithm; issuer; audience; expiry; nonce where one was sent.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import json
import time
from typing import Any
from urllib.parse import urlencode

import jwt
import requests
import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError

from accounts.enums import Provider
from core.email_addresses import normalize_email

logger = structlog.get_logger(__name__)

_TIMEOUT_SECONDS = 5
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
_CONFIGURATION_LIFETIME_SECONDS = 600
_KEYS_LIFETIME_SECONDS = 300
_CLOCK_SKEW_SECONDS = 10
_APPLE_SECRET_LIFETIME_SECONDS = 300


class RefusedByProvider(Exception):
    """The token or code is not good: forged, expired, spent, for somebody else."""


class ProviderUnreachable(Exception):
    """The provider does not answer, or not as OpenID Connect has it."""


@dataclasses.dataclass(frozen=True)
class Identity:
    """A person according to a provider. `subject` never changes there; the address and the name may, or may be missing."""

    provider: Provider
    subject: str
    email: str
    is_email_verified: bool
    full_name: str


def is_configured(provider: str) -> bool:
    """Whether this provider is known and has its keys in the settings."""
    return bool(settings.SIGN_IN_PROVIDERS.get(provider, {}).get("client_ids"))


def identity_from_id_token(provider: Provider, id_token: str, *, nonce: str = "") -> Identity:
    """The person of an id_token that the app got from the provider.

    Raises:
        RefusedByProvider, ProviderUnreachable
    """
    return _identity(provider, _claims(provider, id_token, nonce=nonce))


def identity_from_access_token(provider: Provider, access_token: str) -> Identity:
    """The person of an access token. The provider is asked for whom it was issued: a token that another app got is no proof here.

    Raises:
        RefusedByProvider, ProviderUnreachable
    """
    setup = settings.SIGN_IN_PROVIDERS[provider]
    address = setup.get("introspection_url") or _configuration(provider).get("introspection_endpoint")
    if not address:
        raise RefusedByProvider("this provider gives no access tokens that can be checked")
    about = _call("POST", address, data={"token": access_token, "access_token": access_token, **_client_credentials(provider)})
    # RFC 7662 names the app `client_id`, and has the server that the token is for as `aud`; Google knows `azp` and `aud` only.
    issued_to = about.get("client_id") or about.get("azp") or about.get("aud")
    if about.get("active") is False or issued_to not in setup["client_ids"]:
        raise RefusedByProvider("the access token was issued to another app")
    return _identity(provider, _userinfo(provider, access_token))


def identity_from_code(provider: Provider, code: str, *, redirect_uri: str, code_verifier: str = "", nonce: str = "") -> Identity:
    """The person of an authorisation code, which the provider takes once.

    Raises:
        RefusedByProvider, ProviderUnreachable
    """
    data = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, **_client_credentials(provider)}
    if code_verifier:
        data["code_verifier"] = code_verifier
    tokens = _call("POST", _configuration(provider)["token_endpoint"], data=data)
    if not isinstance(tokens.get("id_token"), str):
        raise RefusedByProvider("the provider gave no id_token")
    claims = _claims(provider, tokens["id_token"], nonce=nonce)
    if not claims.get("email") and isinstance(tokens.get("access_token"), str):
        claims |= _userinfo(provider, tokens["access_token"], subject=claims["sub"])
    return _identity(provider, claims)


def authorisation_address(provider: Provider, *, redirect_uri: str, state: str, nonce: str, code_verifier: str) -> str:
    """Where a browser goes to sign in at the provider (authorisation code with PKCE, RFC 7636)."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": settings.SIGN_IN_PROVIDERS[provider]["client_ids"][0],
        "redirect_uri": redirect_uri,
        "scope": settings.SIGN_IN_PROVIDERS[provider].get("scope", "openid profile email"),
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if provider == Provider.APPLE:
        query["response_mode"] = "form_post"
    else:
        # Providers may leave the address out of the id_token unless they are asked for it there.
        query["claims"] = json.dumps({"id_token": {"email": None, "email_verified": None, "name": None}})
    return f"{_configuration(provider)['authorization_endpoint']}?{urlencode(query)}"


def _claims(provider: Provider, id_token: str, *, nonce: str) -> dict[str, Any]:
    configuration = _configuration(provider)
    try:
        if not isinstance(jwt.get_unverified_header(id_token).get("kid"), str):
            raise RefusedByProvider("the id_token does not name its key")
        key = _keys(configuration["jwks_uri"]).get_signing_key_from_jwt(id_token)
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key=key.key,
            algorithms=_ALGORITHMS,
            audience=settings.SIGN_IN_PROVIDERS[provider]["client_ids"],
            issuer=configuration["issuer"],
            leeway=_CLOCK_SKEW_SECONDS,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )
    except jwt.PyJWKClientConnectionError as error:
        raise ProviderUnreachable(str(provider)) from error
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise RefusedByProvider(type(error).__name__) from error
    if nonce and claims.get("nonce") != nonce:
        raise RefusedByProvider("the id_token belongs to another sign-in")
    return claims


def _identity(provider: Provider, claims: dict[str, Any]) -> Identity:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise RefusedByProvider("no subject")
    name = claims.get("name") or " ".join(str(claims[part]) for part in ("given_name", "family_name") if claims.get(part))
    return Identity(
        provider=provider,
        subject=subject,
        email=_address(claims.get("email")),
        # Apple and LinkedIn have sent the text "false", which is true to a program.
        is_email_verified=str(claims.get("email_verified", "")).lower() == "true",
        full_name=name[:150] if isinstance(name, str) else "",
    )


def _address(told: Any) -> str:
    """An address that can be an account's, or nothing."""
    try:
        return normalize_email(told) if isinstance(told, str) else ""
    except ValidationError:
        return ""


def _userinfo(provider: Provider, access_token: str, *, subject: str = "") -> dict[str, Any]:
    address = _configuration(provider).get("userinfo_endpoint")
    if not address:
        return {}
    claims = _call("GET", address, headers={"Authorization": f"Bearer {access_token}"})
    # OpenID Connect Core 1.0, section 5.3.2: the answer must be about the person of the id_token.
    if subject and claims.get("sub") != subject:
        raise RefusedByProvider("userinfo is about somebody else")
    return claims


def _client_credentials(provider: Provider) -> dict[str, str]:
    setup = settings.SIGN_IN_PROVIDERS[provider]
    secret = _apple_secret(setup) if provider == Provider.APPLE else setup["client_secret"]
    return {"client_id": setup["client_ids"][0], "client_secret": secret}


def _apple_secret(setup: dict[str, Any]) -> str:
    """Apple's client secret is a token that we sign ourselves ("Creating a client secret", Sign in with Apple)."""
    now = int(time.time())
    claims = {
        "iss": setup["team_id"],
        "iat": now,
        "exp": now + _APPLE_SECRET_LIFETIME_SECONDS,
        "aud": setup["issuer"],
        "sub": setup["client_ids"][0],
    }
    return jwt.encode(claims, setup["private_key"], algorithm="ES256", headers={"kid": setup["key_id"]})


def _configuration(provider: Provider) -> dict[str, Any]:
    issuer = settings.SIGN_IN_PROVIDERS[provider]["issuer"]
    key = f"accounts:openid:{issuer}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = _call("GET", f"{issuer}/.well-known/openid-configuration")
        # OpenID Connect Discovery 1.0, section 4.3: the document speaks for the issuer that was asked, and for no other.
        if found.get("issuer", "").rstrip("/") != issuer.rstrip("/"):
            raise ProviderUnreachable(f"{provider} answers as another issuer")
        cache.set(key, found, timeout=_CONFIGURATION_LIFETIME_SECONDS)
    return found


@functools.lru_cache(maxsize=16)
def _keys(address: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(address, cache_keys=False, lifespan=_KEYS_LIFETIME_SECONDS, timeout=_TIMEOUT_SECONDS)


def _call(method: str, address: str, **options: Any) -> dict[str, Any]:
    try:
        response = requests.request(method, address, timeout=_TIMEOUT_SECONDS, allow_redirects=False, **options)
        body = response.json()
    except (requests.RequestException, ValueError) as error:
        logger.warning("sign-in provider unreachable", address=address, error=type(error).__name__)
        raise ProviderUnreachable(address) from error
    if response.status_code >= 500 or not isinstance(body, dict):
        raise ProviderUnreachable(address)
    if response.status_code >= 400:
        raise RefusedByProvider(str(body.get("error", response.status_code))[:100])
    return body
