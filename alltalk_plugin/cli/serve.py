"""`serve`: the service in the foreground."""

from __future__ import annotations

import click

from alltalk_plugin.cli.context import CliContext, failing_clearly


@click.command()
@click.option("--host", help="Address to listen on.  [default: server.host, 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Fails if taken; without it a free one is found.")
@click.option("--started-by-program", is_flag=True, hidden=True)
@click.pass_obj
@failing_clearly
def serve(context: CliContext, host: str | None, port: int | None, started_by_program: bool) -> None:
    """Run the service of the data folder until Ctrl-C."""
    from alltalk_plugin import logs
    from alltalk_plugin.http.server import serve as serve_http
    from alltalk_plugin.runtime import build_runtime

    context.home.mkdir(parents=True, exist_ok=True)
    logs.log_to_stderr("DEBUG" if context.verbose else "INFO")
    with build_runtime(context.home, context.settings_file) as runtime:
        log = runtime.settings.current.log
        logs.log_to_file(context.home / "logs" / "service.log", log.level, log.keep_files)
        serve_http(runtime, host=host, port=port, started_by_program=started_by_program)
