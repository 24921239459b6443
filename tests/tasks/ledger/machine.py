"""Everything that may happen to a ledger, in any order: senders, daemons, runs, people, receivers, and crashes."""

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import delete, select

from cv_pipelines.database.task_tables import attempts, dead_letters, deliveries, events, tasks
from cv_pipelines.tasks.ledger.cancelling import cancel
from cv_pipelines.tasks.ledger.claims import Attempt, claim, expire, open_attempts
from cv_pipelines.tasks.ledger.closing import LOST, close, close_cancelled, close_done
from cv_pipelines.tasks.ledger.dead_letters import drop, list_letters, replay
from cv_pipelines.tasks.ledger.intake import Letter, receive
from cv_pipelines.tasks.ledger.ledger import Ledger
from cv_pipelines.tasks.ledger.outbox import MOST_TRIES, Failure, redeliver, settle, take, undelivered
from cv_pipelines.tasks.ledger.policy import MOST_ATTEMPTS
from cv_pipelines.tasks.ledger.retention import prune
from cv_pipelines.tasks.ledger.supervision import begin_or_resume
from cv_pipelines.tasks.ledger.work import Begun, SupersededError, begin, finish, heartbeat
from tests.tasks.ledger.interruption import Died, dying
from tests.tasks.ledger.invariants import Witness, lost, unfinished
from tests.tasks.ledger.messages import DONE, HOOK, failure, letter, pass_deadline, pass_time

T = TypeVar("T")
PICK = st.integers(0, 50)
RUNS = st.sampled_from(["run 1", "run 2"])
OUTCOMES = st.sampled_from([DONE, *(failure(source) for source in MOST_ATTEMPTS)])
ANSWERS = st.sampled_from([None, Failure("is dead"), Failure("is away", counts=False)])
REPLIES = st.sampled_from([None, HOOK, {"reply_to": "answers", "correlation_id": "7"}])
KINDS: dict[str, dict[str, Any]] = {
    "sleep": {},
    "fail": {},
    "cats": {"kind": "classify_images", "params": {"dataset": "cats"}},
    "dogs": {"kind": "classify_images", "params": {"dataset": "dogs"}},
    "train_model": {},
}
STEPS_TO_THE_END = sum(MOST_ATTEMPTS.values())


class LedgerMachine(RuleBasedStateMachine):
    """The ledger against its invariants; what each actor knows survives only where that actor does."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger, self.witness = ledger, Witness(ledger.database)
        self.confirmed: list[Letter] = []
        self.begun: list[Begun] = []
        self.names: list[str] = ["nobody"]
        self.dies_after: int | None = None

    @initialize()
    def start_empty(self) -> None:
        with self.ledger.database.begin() as connection:
            if connection.dialect.name == "postgresql":  # a DELETE would leave the dead rows to be waded through
                connection.exec_driver_sql("TRUNCATE deliveries, events, tasks, attempts, dead_letters")
            for table in (deliveries, events, tasks, attempts, dead_letters):
                connection.execute(delete(table))

    @rule(statements=st.integers(0, 12), does=st.booleans())
    def whoever_is_next_may_die(self, statements: int, does: bool) -> None:
        self.dies_after = statements if does else None

    @rule(kind=st.sampled_from(sorted(KINDS)), many=st.integers(1, 4), priority=st.integers(0, 9), reply=REPLIES)
    def publish(self, kind: str, many: int, priority: int, reply: Any) -> None:
        fields = {"kind": kind, "priority": priority, "reply": reply} | KINDS[kind]
        letters = [letter(f"task-{len(self.names) + number}", **fields) for number in range(many)]
        self.names += [str(one.message_id) for one in letters]
        self._receive(letters)

    @rule(picks=st.lists(PICK, min_size=1, max_size=5), crossed=st.booleans())
    def deliver_again(self, picks: list[int], crossed: bool) -> None:
        letters = [self.confirmed[pick % len(self.confirmed)] for pick in picks if self.confirmed]
        self._receive([letter("new-to-it"), *letters] if crossed else letters)

    @rule(
        pick=PICK,
        body=st.binary(max_size=20),
        headers=st.dictionaries(st.text(max_size=5), st.text(max_size=5)),
        reply_to=st.sampled_from([None, "answers", "\0"]),
    )
    def publish_what_is_no_task(
        self, pick: int, body: bytes, headers: dict[str, str], reply_to: str | None
    ) -> None:
        other = letter(self._name(pick), "fail", {"times": 77}, priority=1)
        self._receive([Letter(body, body.hex(), reply_to, headers=headers), other, letter(self._name(pick + 1))])

    @rule(daemons=st.integers(1, 2))
    def tick(self, daemons: int) -> None:
        for _ in range(daemons):
            self._do(lambda: expire(self.ledger))
            self._do(lambda: claim(self.ledger))

    @rule(pick=PICK, run=RUNS, beside=st.booleans())
    def start_run(self, pick: int, run: str, beside: bool) -> None:
        attempt = self._attempt(pick)
        work = begin_or_resume if beside else begin
        begun = self._do(lambda: work(self.ledger, attempt.id, run)) if attempt else None
        if begun:
            self.begun.append(begun)

    @rule(pick=PICK, share=st.sampled_from([0.0, 0.5, 1.0]))
    def beat(self, pick: int, share: float) -> None:
        if self.begun:
            begun = self.begun[pick % len(self.begun)]
            self._guarded(begun, lambda: heartbeat(self.ledger, begun, {one.id: share for one in begun.tasks[:2]}))

    @rule(pick=PICK, outcomes=st.lists(OUTCOMES, min_size=1, max_size=4), again=st.booleans())
    def finish_some(self, pick: int, outcomes: list[Any], again: bool) -> None:
        if self.begun:
            begun = self.begun[pick % len(self.begun)]
            done = {one.id: outcome for one, outcome in zip(begun.tasks, outcomes, strict=False)}
            self._guarded(begun, lambda: finish(self.ledger, begun, done))
            if again:
                self._guarded(begun, lambda: finish(self.ledger, begun, done))

    @rule(pick=PICK, how=st.sampled_from(["lost", "no outcome", "cancelled", "done"]))
    def run_ends(self, pick: int, how: str) -> None:
        attempt = self._attempt(pick)
        if attempt is None:
            return
        match how:
            case "done" if attempt.kind.together is None:
                self._do(lambda: close_done(self.ledger, attempt.id, {"dataset": "cats"}))
            case "cancelled":
                self._do(lambda: close_cancelled(self.ledger, attempt.id))
            case other:
                why = LOST if other == "lost" else failure("internal")
                self._do(lambda: close(self.ledger, attempt.id, why))

    @rule(pick=PICK)
    def somebody_cancels(self, pick: int) -> None:
        name = self._name(pick)
        if name in self._stored():
            self._do(lambda: cancel(self.ledger, name))

    @rule(pick=PICK)
    def the_deadline_passes(self, pick: int) -> None:
        pass_deadline(self.ledger, self._name(pick))

    @rule()
    def time_passes(self) -> None:
        pass_time(self.ledger)

    @rule(answers=st.lists(ANSWERS, min_size=1, max_size=6), most=st.integers(1, 20))
    def tell(self, answers: list[Failure | None], most: int) -> None:
        rows = self._do(lambda: take(self.ledger, most)) or []
        found = {
            row.id: {one: answers[(row.id + place) % len(answers)] for place, one in enumerate(row.pending)}
            for row in rows
        }
        self._do(lambda: settle(self.ledger, found))

    @rule()
    def ask_for_deliveries_again(self) -> None:
        self._do(lambda: redeliver(self.ledger))

    @rule(pick=PICK, drops=st.booleans())
    def somebody_decides_on_a_letter(self, pick: int, drops: bool) -> None:
        letters = list_letters(self.ledger, state=None)
        if letters:
            number = letters[pick % len(letters)].id
            self._do(lambda: drop(self.ledger, number) if drops else replay(self.ledger, number))

    @rule(days=st.sampled_from([0.0, 0.0, 30.0]))
    def forget_what_is_old(self, days: float) -> None:
        self._do(lambda: prune(self.ledger, days, days))
        if days == 0.0:
            self.witness.forget()
            self.confirmed = [one for one in self.confirmed if not lost(self.ledger.database, [one])]

    @invariant()
    def all_is_well(self) -> None:
        self.witness.check()
        assert lost(self.ledger.database, self.confirmed) == []

    def teardown(self) -> None:
        """Whatever has happened: from here everything comes to an end, in a bounded number of steps."""
        for _ in range(STEPS_TO_THE_END + len(self.names)):
            if not unfinished(self.ledger.database):
                break
            pass_time(self.ledger)
            expire(self.ledger)
            claim(self.ledger)
            for attempt in open_attempts(self.ledger):
                self._end(attempt)
            self.witness.check()
        assert unfinished(self.ledger.database) == []
        for _ in range(MOST_TRIES):
            pass_time(self.ledger)
            rows = take(self.ledger, 10_000)
            settle(self.ledger, {row.id: dict.fromkeys(row.pending, Failure("is dead")) for row in rows})
        assert undelivered(self.ledger)["open"] == 0
        self.witness.check()

    def _end(self, attempt: Attempt) -> None:
        begun = begin_or_resume(self.ledger, attempt.id, attempt.run_id or "the last run")
        if attempt.kind.together is None:
            close_done(self.ledger, attempt.id, {"dataset": "cats"})
        elif begun and begun.tasks:
            finish(self.ledger, begun, {one.id: DONE for one in begun.tasks})
        else:
            close(self.ledger, attempt.id, LOST)

    def _receive(self, letters: list[Letter]) -> None:
        if self._do(lambda: receive(self.ledger, letters)) is not None:
            self.confirmed += letters

    def _guarded(self, begun: Begun, work: Callable[[], Any]) -> None:
        """What a run does that has been superseded, or whose attempt has ended, changes nothing."""
        with self.ledger.database.connect() as connection:
            query = select(attempts.c.state, attempts.c.epoch).where(attempts.c.id == begun.attempt)
            holds = connection.execute(query).first() == ("open", begun.epoch)
        before = None if holds else self._everything()
        try:
            self._do(work)
            assert holds or self._everything() == before
        except SupersededError:
            assert not holds
            assert self._everything() == before

    def _do(self, work: Callable[[], T]) -> T | None:
        """Let somebody do something, and perhaps die of it; None where nobody is left to know what it came to."""
        dies_after, self.dies_after = self.dies_after, None
        if dies_after is None:
            return work()
        try:
            with dying(self.ledger.database, dies_after):
                return work()
        except Died:
            return None

    def _attempt(self, pick: int) -> Attempt | None:
        found = open_attempts(self.ledger)
        return found[pick % len(found)] if found else None

    def _name(self, pick: int) -> str:
        return self.names[pick % len(self.names)]

    def _stored(self) -> set[str]:
        with self.ledger.database.connect() as connection:
            return set(connection.scalars(select(tasks.c.id)))

    def _everything(self) -> list[Any]:
        with self.ledger.database.connect() as connection:
            found = (connection.execute(select(table).order_by(table.c.id)) for table in (tasks, attempts, events))
            return [row for rows in found for row in rows]
