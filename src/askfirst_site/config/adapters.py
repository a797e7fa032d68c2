"""How allauth is used here: accounts belong to staff, and an organiser makes them."""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthError
from django.http import HttpRequest

__all__ = ["NobodyAdapter", "StaffAdapter"]


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth publishes no types
    """Nobody signs up: an organiser invites."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  # allauth's signature
        """Return that nobody signs up."""
        return False


class NobodyAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth publishes no types
    """An account elsewhere proves who a signer is. It never makes an account here, and never opens one."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:  # noqa: ARG002  # allauth's signature
        """Return that nobody signs up."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> NoReturn:
        """Record the proof, and end here: no sign-in comes after it, whoever it is.

        Raises:
            ImmediateHttpResponse: Always.
        """
        from askfirst_site.public.views import orcid  # noqa: PLC0415  # allauth imports adapters before rooms are ready

        raise ImmediateHttpResponse(orcid.finish(request, sociallogin.account.uid))

    def on_authentication_error(  # allauth's signature
        self,
        request: HttpRequest,
        provider: object,  # noqa: ARG002
        error: str | None = None,
        exception: BaseException | None = None,  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> NoReturn:
        """Bring the signer back to the page.

        Raises:
            ImmediateHttpResponse: Always.
        """
        from askfirst_site.public.views import orcid  # noqa: PLC0415  # as above

        raise ImmediateHttpResponse(orcid.fail(request, is_cancelled=error == AuthError.CANCELLED))
