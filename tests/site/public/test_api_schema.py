"""The API keeps to its own description, whatever it is sent: Schemathesis makes the requests from the description."""

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

OPERATIONS = [
    ("GET", "statement"),
    ("GET", "count"),
    ("GET", "signatories"),
    ("GET", "charts"),
    ("GET", "addressees"),
    ("GET", "updates"),
    ("POST", "sign"),
    ("POST", "confirm"),
]
EXAMPLES = 25

load_all_checks()


@pytest.fixture
def description(signed, sequence, now):
    """A small campaign with people, an organisation, an addressee with an answer, and news; and what describes it."""
    from askfirst_site.accounts.models import User
    from askfirst_site.statement import actions
    from askfirst_site.statement.models import Statement, Update

    user, statement = User.objects.get(), Statement.objects.get()
    for name in ("Ada Example", "שלום", "<b>Bob</b>"):
        signed(name)
    signed("Initials Only", display="initials")
    signed("Guild", kind="organisation", affiliation="Grace Example", website="guild.example")
    addressee = actions.add_addressee(
        actor=user, statement=statement, name="A model maker", asked_on=now.date(), request="Ask first.", now=now
    )
    actions.record_answer(actor=user, addressee=addressee, on=now.date(), status="committed", summary="Soon.", now=now)
    actions.publish_update(
        actor=user,
        update=Update(statement=statement, language="en", title="News", body="We *go on*.", by=user),
        now=now,
    )
    sequence()
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())


def test_every_operation_is_tried(description):
    found = {(one.ok().method.upper(), one.ok().path) for one in description.get_all_operations()}
    assert found == {(method, f"/api/v1/{name}") for method, name in OPERATIONS}


@pytest.mark.parametrize(("method", "name"), OPERATIONS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
def test_answers_are_as_described(description, method, name, mode):
    operation = description[f"/api/v1/{name}"][method]
    # A form has rules that a description cannot hold: what fits it may still be refused, in words.
    excluded = CHECKS.get_by_names(["positive_data_acceptance"]) if method == "POST" else None

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def try_it(case):
        case.call_and_validate(excluded_checks=excluded)

    try_it()
