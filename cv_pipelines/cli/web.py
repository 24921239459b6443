"""`cv-pipelines web`: the web application."""

import click

from cv_pipelines.cli.context import open_catalog
from cv_pipelines.cli.output import console
from cv_pipelines.settings import load_settings


@click.command()
@click.option("--host", help="Address to listen on.  [default: CV_WEB_HOST, 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="0: a free one.  [default: CV_WEB_PORT, 8000]")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="That serve it.")
def web(host: str | None, port: int | None, processes: int) -> None:
    """Serve the web application, and stay in the foreground.

    \b
    Examples:
      cv-pipelines web
      cv-pipelines web --port 8080 --processes 4
    """
    from cv_pipelines.web.serving import listen, serve

    settings = load_settings()
    open_catalog()  # says what is wrong with it, before anything is started
    address = host or settings.web_host
    listening = listen(address, settings.web_port if port is None else port)
    shown = f"[{address}]" if ":" in address else address
    console.print(
        f"The web application is at http://{shown}:{listening.getsockname()[1]}; Ctrl-C stops it.\n"
        "A token to log in with: cv-pipelines token create NAME --role annotator",
        markup=False,
        soft_wrap=True,
    )
    serve(listening, address, processes, settings.web_proxies)
