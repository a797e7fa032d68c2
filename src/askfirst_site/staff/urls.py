"""Addresses below /staff/. Each goes through `gate.page`; what a moderator may open says so."""

from __future__ import annotations

from askfirst_site.staff.gate import MODERATOR, page
from askfirst_site.staff.views import campaign, exports, overview, people, removal, review, texts, updates

app_name = "staff"

urlpatterns = [
    page("", overview.overview, "overview", MODERATOR),
    page("account/", overview.account, "account", MODERATOR),
    page("log/", overview.log, "log"),
    page("log/alarms/<int:alarm_id>/close/", overview.close_alarm, "alarm-close"),
    page("done/", overview.deeds, "deeds"),
    page("people/", people.colleagues, "colleagues"),
    page("people/<int:user_id>/", people.colleague, "colleague"),
    page("watched/", review.watched, "watched"),
    page("watched/<int:watched_id>/remove/", review.unwatch, "unwatch"),
    page("statements/", texts.statements, "statements"),
    page("statements/new/", texts.new_statement, "statement-new"),
    page("s/<slug:slug>/", texts.statement, "statement"),
    page("s/<slug:slug>/versions/new/", texts.new_version, "version-new"),
    page("s/<slug:slug>/versions/<int:number>/", texts.version, "version"),
    page("s/<slug:slug>/versions/<int:number>/freeze/", texts.freeze, "freeze"),
    page("s/<slug:slug>/versions/<int:number>/<str:language>/", texts.text, "text"),
    page("s/<slug:slug>/queue/", review.queue, "queue", MODERATOR),
    page("s/<slug:slug>/queue/act/", review.act, "queue-act", MODERATOR),
    page("s/<slug:slug>/signatures/", review.signatures, "signatures"),
    page("s/<slug:slug>/signatures/<int:signature_id>/", review.signature, "signature"),
    page("s/<slug:slug>/signatures/<int:signature_id>/email/", review.email, "signature-email"),
    page("s/<slug:slug>/signatures/<int:signature_id>/do/", review.do, "signature-do"),
    page("s/<slug:slug>/in-front/", campaign.notables, "notables"),
    page("s/<slug:slug>/in-front/<int:signature_id>/", campaign.notable, "notable"),
    page("s/<slug:slug>/organisations/", campaign.organisations, "organisations"),
    page("s/<slug:slug>/asked/", campaign.addressees, "addressees"),
    page("s/<slug:slug>/asked/new/", campaign.addressee, "addressee-new"),
    page("s/<slug:slug>/asked/<int:addressee_id>/", campaign.addressee, "addressee"),
    page("s/<slug:slug>/asked/<int:addressee_id>/answer/", campaign.answer, "answer"),
    page("s/<slug:slug>/elsewhere/", campaign.imports, "imports"),
    page("s/<slug:slug>/elsewhere/<int:import_id>/remove/", campaign.remove_import, "import-remove"),
    page("s/<slug:slug>/updates/", updates.updates, "updates"),
    page("s/<slug:slug>/updates/new/", updates.update, "update-new"),
    page("s/<slug:slug>/updates/<int:update_id>/", updates.update, "update"),
    page("s/<slug:slug>/updates/<int:update_id>/publish/", updates.publish, "update-publish"),
    page("s/<slug:slug>/updates/<int:update_id>/mail/", updates.mail, "update-mail"),
    page("s/<slug:slug>/take-out/", removal.invalidate, "invalidate"),
    page("s/<slug:slug>/take-out/do/", removal.do, "invalidate-do"),
    page("s/<slug:slug>/export/", exports.exports, "exports"),
    page("s/<slug:slug>/export/<str:form>/", exports.download, "export"),
]
