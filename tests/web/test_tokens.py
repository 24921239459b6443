"""Tokens and sessions as rows: what is kept of them, and how long they are worth something."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations

import pytest
from sqlalchemy import Engine, func, select

from cv_pipelines.database.engine import open_database
from cv_pipelines.database.web_tables import web_login_failures, web_sessions, web_tokens
from cv_pipelines.errors import InputError
from cv_pipelines.web.sessions import MOST_FAILURES, TooManyFailures, identify_session, log_in, log_out
from cv_pipelines.web.tokens import Role, create_token, identify_token, list_tokens, revoke_token
from tests.servers import on_both_databases


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def move(database: Engine, table: object, column: str, seconds: float) -> None:
    """Let a time of all rows have been that much earlier."""
    with database.begin() as connection:
        for row in connection.execute(select(table)).all():  # type: ignore[call-overload]
            earlier = getattr(row, column) - timedelta(seconds=seconds)
            key = table.primary_key.columns[0]  # type: ignore[attr-defined]
            changed = table.update().where(key == row[0]).values({column: earlier})  # type: ignore[attr-defined]
            connection.execute(changed)


@on_both_databases
def test_a_token_names_its_owner_until_it_is_revoked_and_is_kept_nowhere(database: Engine) -> None:
    token = create_token(database, "ann", Role.ANNOTATOR, "root", days=1)
    found = identify_token(database, token)

    assert found is not None
    assert (found.name, found.role) == ("ann", Role.ANNOTATOR)
    assert token.startswith("cv_")
    assert len(token) >= 3 + 256 / 6
    with database.connect() as connection:
        kept = connection.execute(select(web_tokens)).one()
    assert token not in repr(kept)
    assert revoke_token(database, "ann") == 0
    assert identify_token(database, token) is None
    with pytest.raises(InputError, match="no valid token 'ann'"):
        revoke_token(database, "ann")


@on_both_databases
def test_a_token_expires_by_the_clock_of_the_database(database: Engine) -> None:
    token = create_token(database, "ann", Role.VIEWER, "root", days=2)
    assert identify_token(database, token)

    move(database, web_tokens, "expires_at", 2 * 86_400)

    assert identify_token(database, token) is None
    assert [one.state for one in list_tokens(database)] == ["expired"]


@on_both_databases
def test_a_name_is_free_again_once_its_token_is_worth_nothing(database: Engine) -> None:
    tokens = [create_token(database, "ann", Role.VIEWER, "root")]
    with pytest.raises(InputError, match="token revoke ann"):
        create_token(database, "ann", Role.ADMIN, "root")
    revoke_token(database, "ann")
    tokens.append(create_token(database, "ann", Role.ADMIN, "root"))

    assert [one.state for one in list_tokens(database)] == ["valid", "revoked"]
    assert [identify_token(database, one) is not None for one in tokens] == [False, True]


@pytest.mark.parametrize("name", ["", " ann", "ann<b>", "-ann", "a" * 65, "änn", "ann\n"])
def test_names_that_a_log_or_a_page_could_stumble_over_are_refused(database: Engine, name: str) -> None:
    with pytest.raises(InputError, match="cannot be a token's name"):
        create_token(database, name, Role.VIEWER, "root")


@on_both_databases
def test_when_a_token_was_used_is_noted_once_a_minute(database: Engine) -> None:
    def used() -> object:
        return list_tokens(database)[0].last_used_at

    token = create_token(database, "ann", Role.VIEWER, "root")
    assert used() is None
    identify_token(database, token)
    first = used()
    identify_token(database, token)
    assert used() == first

    move(database, web_tokens, "last_used_at", 61)
    earlier = used()
    identify_token(database, token)
    assert used() != earlier


@on_both_databases
def test_a_session_ends_by_logging_out_by_time_and_with_its_token(database: Engine) -> None:
    token = create_token(database, "ann", Role.VIEWER, "root")
    sessions = [log_in(database, token, "here") for _ in range(3)]
    first, second, third = (one or "" for one in sessions)
    assert all(one and identify_session(database, one) for one in sessions)
    assert len({*sessions}) == 3

    log_out(database, first)
    assert [identify_session(database, one) is not None for one in (first, second, third)] == [False, True, True]
    assert revoke_token(database, "ann") == 2
    assert identify_session(database, second) is None

    session = log_in(database, create_token(database, "bob", Role.VIEWER, "root"), "here") or ""
    move(database, web_sessions, "expires_at", 12 * 3600)
    assert identify_session(database, session) is None


@on_both_databases
def test_logins_that_fail_are_bounded_for_an_address_and_for_a_while(database: Engine) -> None:
    token = create_token(database, "ann", Role.VIEWER, "root")
    for _ in range(MOST_FAILURES):
        assert log_in(database, token, "here"), "what succeeds does not count"
    for _ in range(MOST_FAILURES):
        assert log_in(database, "cv_wrong", "here") is None

    with pytest.raises(TooManyFailures):
        log_in(database, token, "here")
    assert log_in(database, token, "there")

    move(database, web_login_failures, "at", 301)
    assert log_in(database, token, "here")
    with database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(web_login_failures)).scalar() == 0


def test_roles_are_in_their_order() -> None:
    assert all(low < high for low, high in combinations([Role.VIEWER, Role.ANNOTATOR, Role.ADMIN], 2))
