"""`cv-pipelines token`: who may use the web application."""

import getpass

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console, errors, json_option, print_json, print_table


@click.group()
def token() -> None:
    """Who may use the web application: create, list and revoke tokens."""


@token.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["viewer", "annotator", "admin"]),
    required=True,
    help="Viewers look, annotators label too, admins may do everything.",
)
@click.option("--days", type=click.FloatRange(0, 36500, min_open=True), help="Then it expires; else never.")
@json_option
def create(name: str, role: str, days: float | None, as_json: bool) -> None:
    """Make a token for a person or program; it is printed once and kept nowhere.

    \b
    Example:
      cv-pipelines token create ann --role annotator --days 90
    """
    from cv_pipelines.web.tokens import ROLES, create_token

    made = create_token(open_catalog().database, name, ROLES[role], getpass.getuser(), days)
    if as_json:
        print_json({"name": name, "role": role, "token": made})
        return
    errors.print(f"A token for '{name}' as {role}. It is shown this once:", markup=False)
    click.echo(made)


@token.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all tokens that there ever were; when one was last used is known to a minute."""
    from cv_pipelines.web.tokens import list_tokens

    rows = [vars(one) for one in list_tokens(open_catalog().database)]
    if as_json:
        print_json(rows)
    elif rows:
        columns = ["name", "role", "state", "made by", "made", "expires", "last used"]
        print_table(columns, [list(row.values()) for row in rows])
    else:
        console.print("There is no token yet: cv-pipelines token create NAME --role ROLE")


@token.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Let a token be worth nothing any more, and end the sessions that began with it."""
    from cv_pipelines.web.tokens import revoke_token

    ended = revoke_token(open_catalog().database, name)
    console.print(f"The token '{name}' is revoked; {ended} of its sessions ended.", markup=False)
