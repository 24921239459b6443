"""The web application, put together. Any number of processes may serve it."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, RedirectResponse
from sqlalchemy import select
from starlette.middleware import Middleware

from cv_pipelines.database.engine import reading
from cv_pipelines.settings import Settings, load_settings
from cv_pipelines.web.bounds import Bounds
from cv_pipelines.web.headers import SecurityHeaders
from cv_pipelines.web.login_address import HOME
from cv_pipelines.web.pages import (
    assignments,
    classes,
    datasets,
    editor,
    images,
    labels,
    login,
    picture,
    review,
    similar,
    suggestions,
    thumbnails,
    training,
    upload,
)
from cv_pipelines.web.platform import Platform, open_platform
from cv_pipelines.web.problems import answer_problems
from cv_pipelines.web.request_log import RequestLog, set_up_log
from cv_pipelines.web.static_files import KeptFiles, prefix
from cv_pipelines.web.uploading.incoming import clear_incoming


def create() -> FastAPI:
    """The application that the settings describe; what uvicorn calls in each process."""
    set_up_log()
    settings = load_settings()
    clear_incoming(settings.cache)
    return assemble(open_platform(settings), settings)


def assemble(platform: Platform, settings: Settings) -> FastAPI:
    """An application on an open platform."""
    application = FastAPI(
        openapi_url=None,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(RequestLog),
            Middleware(
                Bounds,
                hosts={*settings.web_hosts, settings.web_host},
                uploads=settings.web_upload_mb * 1024**2,
            ),
        ],
    )
    application.state.platform = platform
    answer_problems(application)
    labelling = (images, thumbnails, labels, classes, suggestions, similar, editor, picture)
    for page in (login, datasets, *labelling, review, assignments, training, upload):
        application.include_router(page.router)
    application.mount(prefix(), KeptFiles())

    @application.get("/")
    def home() -> RedirectResponse:
        return RedirectResponse(HOME, 303)

    @application.get("/healthy")
    def healthy() -> PlainTextResponse:
        """For whoever watches over servers: 503 while the database is away."""
        with reading(platform.database) as connection:
            connection.execute(select(1))
        return PlainTextResponse("ok")

    return application
