"""What a database that is away looks like."""

from sqlalchemy.exc import DBAPIError, OperationalError


def is_outage(error: BaseException) -> bool:
    """Whether the server is away, busy, or has given up our connection: the same again may well work."""
    # the server that ends a transaction for being idle sends an "internal error", and hangs up
    return isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated)
