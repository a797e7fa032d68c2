"""How allauth is used here: accounts belong to staff, and an organiser makes them."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

__all__ = ["NobodyAdapter", "StaffAdapter"]


class StaffAdapter(DefaultAccountAdapter):
    """Nobody signs up: an organiser invites."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  # allauth's signature
        """Return that nobody signs up."""
        return False


class NobodyAdapter(DefaultSocialAccountAdapter):
    """An account elsewhere proves who somebody is; it never makes an account here."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:  # noqa: ARG002  # allauth's signature
        """Return that nobody signs up."""
        return False
