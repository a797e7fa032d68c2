"""Names that others like to borrow, and signatures that look like one another."""

from __future__ import annotations

from askfirst_site.statement import names
from askfirst_site.statement.addresses import PROVIDERS
from askfirst_site.statement.models import Kind, Signature, SignatureState, WatchedName
from askfirst_site.statement.remembered import Remembered

__all__ = ["hints", "reasons_to_hold"]

ALIKE_MAX = 2000
"""Signatures of one network or domain, and notables, that a new one is compared with."""


def reasons_to_hold(signature: Signature) -> list[str]:
    """Return why a signature waits for proof outside the site: its name is watched, its organisation not proven.

    An organisation's mailbox at its own domain is proof enough to be counted; at a mail provider it is not.
    """
    reasons = []
    if WatchedName.objects.filter(folded=names.fold_name(signature.name)).exists():
        reasons.append("watched")
    if signature.kind == Kind.ORGANISATION and not _is_at_own_domain(signature):
        reasons.append("organisation")
    return reasons


def _is_at_own_domain(signature: Signature) -> bool:
    domain, website = signature.email_domain, signature.website
    if not website or domain in PROVIDERS:
        return False
    return domain == website or domain.endswith(f".{website}")


_WATCHED: Remembered[list[tuple[int, str]]] = Remembered()


def _watched() -> list[tuple[int, str]]:
    return list(WatchedName.objects.values_list("pk", "folded")[:ALIKE_MAX])


def hints(signature: Signature) -> list[str]:
    """Return what a moderator may want to look at: much like a watched name, or like a signature from the same network.

    A hint never holds anybody back.
    """
    found = []
    if names.look_alike(signature.name, _WATCHED.get("", _watched)) is not None:
        found.append("look-alike")
    if signature.network_mac is not None:
        near = Signature.objects.filter(
            network_mac=signature.network_mac, statement=signature.statement_id, state=SignatureState.CONFIRMED
        ).exclude(pk=signature.pk)
        others = [(pk, names.fold_name(name)) for pk, name in near.order_by("-id").values_list("pk", "name")[:50]]
        other = names.look_alike(signature.name, others)
        if other is not None:
            found.append(f"duplicate:{other}")
    return found
