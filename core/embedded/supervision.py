"""The supervisord configuration that runs a whole Soosh on one machine."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.embedded.front import command as front_command
from core.embedded.paths import EmbeddedHome
from core.embedded.processes import HOME_VARIABLE, PROGRAM_VARIABLE
from core.embedded.services import postgres_account, postgres_command, redis_command

LARGEST_FRAME_BYTES = 16_384
MOST_SOCKETS = 4_000

_HEADER = """\
[supervisord]
nodaemon=true
silent=true
logfile={logs}/supervisor.log
pidfile={sockets}/supervisor.pid
childlogdir={logs}
directory={checkout}
environment={home_variable}="{root}"
{user}
[unix_http_server]
file={supervisor_socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{supervisor_socket}
"""

_PROGRAM = """
[program:{name}]
command={command}
directory={checkout}
environment={program_variable}="{name}"
priority={priority}
autostart={autostart}
autorestart={autorestart}
startsecs={startsecs}
startretries=10
stopsignal={stopsignal}
stopwaitsecs=20
stopasgroup={as_group}
killasgroup={as_group}
redirect_stderr=true
stdout_logfile={log}
{extra}"""
# Priorities: started from the lowest up, stopped from the highest down.
_SERVICES, _PEERS, _LAUNCH, _BACKGROUND, _WEB, _FRONT = 10, 15, 20, 30, 40, 50


@dataclasses.dataclass(frozen=True)
class WebServers:
    """How many processes and threads answer requests, and whether they start with the supervisor or are started by `launch`."""

    workers: int
    threads: int
    autostart: bool


def _quoted(command: Sequence[str]) -> str:
    # supervisord expands %(name)s in commands and splits them like a shell.
    return " ".join(f'"{part}"' if part == "" or " " in part else part for part in command).replace("%", "%%")


def _program(name: str, command: Sequence[str], *, checkout: Path, priority: int, log: Path | None = None, **settings: str) -> str:
    values = {
        "autostart": "false",
        "autorestart": "true",
        "startsecs": "1",
        "stopsignal": "TERM",
        "as_group": "true",
        "program_variable": PROGRAM_VARIABLE,
        "extra": "stdout_logfile_maxbytes=0\n" if log is None else "stdout_logfile_maxbytes=10MB\nstdout_logfile_backups=1\n",
    } | settings
    values["extra"] += settings.get("more", "")
    return _PROGRAM.format(name=name, command=_quoted(command), checkout=checkout, priority=priority, log=log or "/dev/stdout", **values)


def web_configuration(home: EmbeddedHome, *, checkout: Path, servers: WebServers) -> str:
    """The text of supervisord.conf for the web servers alone."""
    return "".join([_header(home, checkout), *_web_programs(home, checkout, servers)])


def configuration(
    home: EmbeddedHome, *, checkout: Path, servers: WebServers, embedded: bool, beside: Mapping[str, Sequence[str]] | None = None
) -> str:
    """The text of supervisord.conf for all of Soosh. `launch` migrates and then starts the web servers, worker and beat, which do not start
    by themselves. `beside` are further programs by name, each the arguments of our Python, that run from the start."""
    python = sys.executable
    parts = [_header(home, checkout)]
    if embedded:
        parts += _embedded_services(home, checkout)
    for name, arguments in (beside or {}).items():
        log = home.logs / f"{name}.log"
        parts.append(_program(name, [python, *arguments], checkout=checkout, priority=_PEERS, log=log, autostart="true"))
    launch = [python, str(checkout / "manage.py"), "launch"]
    parts.append(
        _program("launch", launch, checkout=checkout, priority=_LAUNCH, autostart="true", autorestart="false", startsecs="0"),
    )
    celery = [python, "-m", "celery", "--app", "soosh", "--quiet"]
    worker = [*celery, "worker", "--concurrency", "2", "--loglevel", "warning"]
    beat = [*celery, "beat", "--schedule", str(home.root / "beat"), "--loglevel", "warning"]
    for name, command in (("worker", worker), ("beat", beat)):
        parts.append(_program(name, _guarded(name, home, command), checkout=checkout, priority=_BACKGROUND))
    return "".join([*parts, *_web_programs(home, checkout, servers)])


def _header(home: EmbeddedHome, checkout: Path) -> str:
    return _HEADER.format(
        root=home.root,
        home_variable=HOME_VARIABLE,
        logs=home.logs,
        sockets=home.sockets,
        supervisor_socket=home.supervisor_socket,
        checkout=checkout,
        user="user=root\n" if os.geteuid() == 0 else "",
    )


def _embedded_services(home: EmbeddedHome, checkout: Path) -> list[str]:
    account = postgres_account()
    # The postmaster stops its own children; signalling the whole group would look like a crash to it.
    postgres = _program(
        *("postgres", postgres_command(home)),
        checkout=checkout,
        priority=_SERVICES,
        log=home.logs / "postgres.log",
        autostart="true",
        stopsignal="INT",
        as_group="false",
        more=f"user={account.pw_name}\n" if account else "",
    )
    log = home.logs / "redis.log"
    return [postgres, _program("redis", redis_command(home), checkout=checkout, priority=_SERVICES, log=log, autostart="true")]


def _web_programs(home: EmbeddedHome, checkout: Path, servers: WebServers) -> list[str]:
    autostart = "true" if servers.autostart else "false"
    web = [sys.executable, "-m", "granian", *_web_options(home, servers), "soosh.wsgi:application"]
    live = [sys.executable, "-m", "uvicorn", *_live_options(home), "soosh.asgi:application"]
    front = _program(
        *("front", _guarded("front", home, front_command(home))),
        checkout=checkout,
        priority=_FRONT,
        autostart=autostart,
        # Requests that are being answered may finish.
        stopsignal="QUIT",
    )
    behind = [
        _program(name, _guarded(name, home, command), checkout=checkout, priority=_WEB, autostart=autostart)
        for name, command in (("web", web), ("live", live))
    ]
    return [*behind, front]


def _guarded(name: str, home: EmbeddedHome, command: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "core.embedded.program", name, str(home.root), *command]


def _web_options(home: EmbeddedHome, servers: WebServers) -> list[str]:
    return [
        *("--interface", "wsgi", "--no-ws", "--http", "1", "--uds", str(home.web_socket)),
        *("--workers", str(servers.workers), "--blocking-threads", str(servers.threads)),
        # One worker that dies would otherwise end the whole server.
        *("--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "5", "--log-level", "error"),
    ]


def _live_options(home: EmbeddedHome) -> list[str]:
    return [
        *("--uds", str(home.live_socket), "--lifespan", "off", "--http", "h11", "--ws", "websockets-sansio"),
        # Clients' frames are short, and a compressed one could expand beyond the limit.
        *("--ws-max-size", str(LARGEST_FRAME_BYTES), "--ws-per-message-deflate", "false"),
        # A client that does not answer a ping is disconnected.
        *("--ws-ping-interval", "20", "--ws-ping-timeout", "20"),
        *("--limit-concurrency", str(MOST_SOCKETS), "--timeout-graceful-shutdown", "2"),
        *("--no-access-log", "--log-level", "error", "--no-proxy-headers", "--no-server-header"),
    ]
