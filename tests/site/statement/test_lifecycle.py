"""Whatever people do, in whatever order: page, tallies, rows and log agree: signed - withdrawn - invalidated."""

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from askfirst.proof.recount import recount
from askfirst_site.statement import actions, mails, tallies
from askfirst_site.statement.errors import StatementError
from askfirst_site.statement.models import Signature

WORLD = [None]
MAILBOXES = st.integers(0, 3)


class Life(RuleBasedStateMachine):
    """A few mailboxes, and everything that can happen to their signatures."""

    pending = Bundle("pending")

    def __init__(self):
        super().__init__()
        self.world = WORLD[0]()

    def rows(self, *states):
        found = Signature.objects.filter(statement=self.world.statement, erased=False)
        return list((found.filter(state__in=states) if states else found).order_by("pk"))

    def pick(self, number, *states):
        rows = self.rows(*states)
        return rows[number % len(rows)] if rows else None

    def attempt(self, call):
        try:
            with transaction.atomic():
                call()
        except StatementError:
            pass

    @rule(target=pending, mailbox=MAILBOXES, kind=st.sampled_from(["person", "organisation"]), famous=st.booleans())
    def sign(self, mailbox, kind, famous):
        extra = {"website": "guild.example", "affiliation": "Ada"} if kind == "organisation" else {}
        name = "Famous Person" if famous else f"Signer {'abcd'[mailbox]}"
        pending = self.world.sign(
            email=f"m{mailbox}@guild.example",
            name=name,
            kind=kind,
            visit=actions.Visit(network=f"192.0.2.{mailbox}"),
            **extra,
        )
        self.world.later(minutes=7)
        return pending

    @rule(pending=pending)
    def confirm(self, pending):
        row = Signature.objects.filter(pk=pending.signature_id).first()
        if row is not None and row.code_mac:
            code = mails.code_of(row)
            self.attempt(lambda: self.world.confirm(pending, code))

    @rule(pending=pending)
    def mistype(self, pending):
        self.attempt(lambda: self.world.confirm(pending, "AAAAAA"))

    @rule(pending=pending)
    def not_me(self, pending):
        actions.not_me(token=mails.person_token(pending.signature_id, "not-me"), now=self.world.now)

    @rule(number=st.integers(0, 9), deed=st.sampled_from(["withdraw", "erase", "show"]))
    def own(self, number, deed):
        if row := self.pick(number):
            grant = self.world.grant(row, deed)
            if deed == "show":
                self.attempt(
                    lambda: actions.correct(
                        grant=grant,
                        name=f"New {number}",
                        role="",
                        affiliation=row.affiliation,
                        discipline="film",
                        display="initials",
                        now=self.world.now,
                    )
                )
            else:
                call = actions.withdraw if deed == "withdraw" else actions.erase
                self.attempt(lambda: call(grant=grant, now=self.world.now))

    @rule(number=st.integers(0, 9), deed=st.sampled_from(["hold", "release", "reject_held", "restore_signature"]))
    def moderate(self, number, deed):
        if row := self.pick(number):
            call = getattr(actions, deed)
            self.attempt(lambda: call(actor=self.world.actor, signature=row, reason="because", now=self.world.now))

    @rule(number=st.integers(0, 9))
    def invalidate(self, number):
        if row := self.pick(number):
            criteria = actions.Criteria(name_contains=row.name[:5])
            self.attempt(
                lambda: actions.invalidate(
                    actor=self.world.actor,
                    statement=self.world.statement,
                    criteria=criteria,
                    reason="scripted",
                    now=self.world.now,
                )
            )

    @rule()
    def expire(self):
        self.world.later(days=3)
        actions.retention(now=self.world.now)

    @rule()
    def sequence_once(self):
        self.world.step()

    @invariant()
    def each_mailbox_counts_once(self):
        counted = [(row.kind, bytes(row.email_mac)) for row in self.rows("confirmed", "held")]
        assert len(counted) == len(set(counted))

    @invariant()
    def the_log_adds_up_at_every_step(self):
        log = self.world.log
        if log is not None and not self.world.is_between_batches():
            counted = recount(log.entries()).get(self.world.statement.slug)
            shown = self.world.counts()
            assert counted is None or shown == (counted.people, counted.organisations)
            if counted:
                assert sum(shown) == counted.signed - counted.withdrawn - counted.invalidated

    def teardown(self):
        try:
            self.world.sequence()
            assert tallies.compare() == []
            people = len([row for row in self.rows("confirmed") if row.kind == "person"])
            assert self.world.counts() == (people, len(self.rows("confirmed")) - people)
            assert not Signature.objects.filter(erased=True).exists()
        finally:
            self.world.close()


def test_life_of_signatures_always_adds_up(fresh_worlds):
    WORLD[0] = fresh_worlds
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
