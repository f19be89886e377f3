"""`swap`, `rollback`, `journal`: the swap service from a terminal."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click

from alltalk_plugin.bridge import Service
from alltalk_plugin.cli.context import CliContext, fail, failing_clearly
from alltalk_plugin.cli.listings import expected_time, models
from alltalk_plugin.cli.tables import print_json, print_rows

_POLL_S = 0.1
_GOOD = ("committed", "planned")


@click.command()
@click.argument("model")
@click.option(
    "--mode",
    type=click.Choice(["auto", "load-first", "unload-first"]),
    default="auto",
    show_default=True,
    help="load-first keeps the old model until the new one is verified; unload-first releases it before.",
)
@click.option("--force", is_flag=True, help="Ignore interval and recent failure; cut running speech.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, do nothing.")
@click.pass_obj
@failing_clearly
def swap(context: CliContext, *, model: str, mode: str, force: bool, dry_run: bool) -> None:
    """Make MODEL the loaded one; waits until it is verified or rolled back.

    Within the minimum interval after another switch it waits, and a newer choice takes its place.
    """
    service = context.connect()
    body = {
        "target": model,
        "mode": mode.replace("-", "_"),
        "force": force,
        "dry_run": dry_run,
        "cause": "person",
    }
    _follow(context, service, service.request("POST", "/api/v1/swaps", body))


@click.command()
@click.option("--to", help="A model by name.  [default: the one that was good before]")
@click.pass_obj
@failing_clearly
def rollback(context: CliContext, to: str | None) -> None:
    """Go back to the model that was good before."""
    service = context.connect()
    _follow(context, service, service.request("POST", "/api/v1/rollback", {"to": to}))


@click.command()
@click.option("--since", type=int, default=0, help="Only records after this number.")
@click.option("--follow", is_flag=True, help="Go on printing until Ctrl-C.")
@click.pass_obj
@failing_clearly
def journal(context: CliContext, since: int, follow: bool) -> None:
    """Print what happened to models, oldest first."""
    service = context.connect()
    while True:
        records: list[dict[str, Any]] = service.request("GET", f"/api/v1/journal?since={since}")["records"]
        if records or not follow:
            print_rows(
                ("seq", "time", "kind", "model", "cause", "ms", "MB", "error"),
                [_journal_row(record) for record in records],
                as_json=context.as_json,
            )
        if not follow:
            return
        since = max([since, *(record["seq"] for record in records)])
        time.sleep(_POLL_S * 5)


def _follow(context: CliContext, service: Service, ticket: dict[str, Any]) -> None:
    plan = ticket["plan"]
    if not context.as_json:
        leaving = ", ".join(plan["victims"]) or "nothing"
        click.echo(
            f"{plan['target']}: {plan['mode'].replace('_', ' ')}, needs {plan['need_bytes'] / 1e6:.0f} MB, "
            f"{plan['free_bytes'] / 1e6:.0f} of {plan['budget_bytes'] / 1e6:.0f} MB free, "
            f"releases {leaving}, expected time {expected_time(plan)}"
        )
    while ticket["outcome"] is None:
        time.sleep(_POLL_S)
        ticket = service.request("GET", f"/api/v1/swaps/{ticket['id']}")
    if context.as_json:
        print_json(ticket)
    if ticket["outcome"] not in _GOOD:
        error = ticket["error"] or {"detail": "the swap did not happen", "code": "swap", "hint": ""}
        outcome = ticket["outcome"].replace("_", " ")
        fail(f"{ticket['plan']['target']} {outcome}: {error['detail']}", error["code"], error["hint"])
    if not context.as_json:
        click.echo(ticket["outcome"])


@models.command()
@click.argument("model")
@click.option("--off", is_flag=True, help="Let it be evicted again.")
@click.pass_obj
@failing_clearly
def pin(context: CliContext, *, model: str, off: bool) -> None:
    """Keep MODEL from being evicted, across restarts; beats the settings."""
    context.connect().request("POST", f"/api/v1/models/{quote(model, safe='')}/pin", {"pinned": not off})


@models.command()
@click.argument("model")
@click.pass_obj
@failing_clearly
def unload(context: CliContext, model: str) -> None:
    """Let MODEL go as soon as nobody speaks with it."""
    context.connect().request("POST", f"/api/v1/models/{quote(model, safe='')}/unload")


def _journal_row(record: dict[str, Any]) -> tuple[object, ...]:
    measured = record["bytes_meas"] or record["bytes_pred"]
    return (
        record["seq"],
        datetime.fromtimestamp(record["ts"], UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        record["kind"],
        record["model"],
        record["cause"],
        None if record["dur_ms"] is None else round(record["dur_ms"]),
        None if measured is None else round(measured / 1e6),
        record["error"],
    )
