"""The supervisord configuration that runs a whole Soosh on one machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.embedded.paths import EmbeddedHome
from core.embedded.services import postgres_account, postgres_command, redis_command

_HEADER = """\
[supervisord]
nodaemon=true
silent=true
logfile={logs}/supervisor.log
pidfile={sockets}/supervisor.pid
childlogdir={logs}
directory={checkout}
environment=SOOSH_SUPERVISED="{root}"
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


def _quoted(command: list[str]) -> str:
    # supervisord expands %(name)s in commands and splits them like a shell.
    return " ".join(f'"{part}"' if part == "" or " " in part else part for part in command).replace("%", "%%")


def _program(name: str, command: list[str], *, priority: int, log: Path | None = None, **settings: str) -> str:
    values = {
        "autostart": "false",
        "autorestart": "true",
        "startsecs": "1",
        "stopsignal": "TERM",
        "as_group": "true",
        "extra": "stdout_logfile_maxbytes=0\n" if log is None else "stdout_logfile_maxbytes=10MB\nstdout_logfile_backups=1\n",
    } | settings
    values["extra"] += settings.get("more", "")
    return _PROGRAM.format(name=name, command=_quoted(command), priority=priority, log=log or "/dev/stdout", **values)


def configuration(
    home: EmbeddedHome, *, checkout: Path, port: int, embedded: bool, beside: Mapping[str, Sequence[str]] | None = None
) -> str:
    """The text of supervisord.conf. `launch` migrates and then starts web, worker and beat, which do not start by themselves. `beside` are
    further programs by name, each the arguments of our Python, that run from the start."""
    python = sys.executable
    manage = [python, str(checkout / "manage.py")]
    parts = [
        _HEADER.format(
            root=home.root,
            logs=home.logs,
            sockets=home.sockets,
            supervisor_socket=home.supervisor_socket,
            checkout=checkout,
            user="user=root\n" if os.geteuid() == 0 else "",
        )
    ]
    if embedded:
        account = postgres_account()
        more = f"user={account.pw_name}\n" if account else ""
        # The postmaster stops its own children; signalling the whole group would look like a crash to it.
        parts.append(
            _program(
                *("postgres", postgres_command(home)),
                priority=10,
                log=home.logs / "postgres.log",
                autostart="true",
                stopsignal="INT",
                as_group="false",
                more=more,
            )
        )
        parts.append(_program("redis", redis_command(home), priority=10, log=home.logs / "redis.log", autostart="true"))
    for name, arguments in (beside or {}).items():
        log = home.logs / f"{name}.log"
        parts.append(_program(name, [python, *arguments], priority=15, log=log, autostart="true"))
    celery = [python, "-m", "celery", "--app", "soosh", "--quiet"]
    parts += [
        _program("launch", [*manage, "launch"], priority=20, autostart="true", autorestart="false", startsecs="0"),
        _program("web", [python, "-m", "granian", *_web_options(port), "soosh.asgi:application"], priority=40),
        _program("worker", [*celery, "worker", "--concurrency", "2", "--loglevel", "warning"], priority=30),
        _program("beat", [*celery, "beat", "--schedule", str(home.root / "beat"), "--loglevel", "warning"], priority=30),
    ]
    return "".join(parts)


def _web_options(port: int) -> list[str]:
    return [
        # Requests and sockets on one port; behind a proxy each has a process of its own, see compose.yaml.
        "--interface",
        "asginl",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
        # Open sockets and idle threads would keep it for ever.
        "--workers-kill-timeout",
        "2",
        "--log-level",
        "error",
    ]
