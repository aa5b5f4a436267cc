"""The peers of the recommendation endpoint, on the same database. `python -m benchmarks.peer_service KIND PORT`.

- orm: FastAPI with SQLAlchemy's async ORM, asyncpg and a pydantic response model: person, profile, list, in three queries;
- sql: FastAPI given one statement that builds the JSON;
- bare: a bare uvloop socket, asyncpg and the same statement: what the machine could do at most.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import sys
import uuid
from typing import Any

import asyncpg
import jwt
import uvloop
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ARRAY, Date, String, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

SECRET = "benchmark-secret-of-thirty-two-bytes"  # noqa: S105  (of a benchmark)
MODEL = os.environ.get("PEER_MODEL", "")
LIMIT = 10
_STATEMENT = """
SELECT json_build_object('recommendations', coalesce(json_agg(json_build_object(
    'id', id, 'kind', kind, 'title', title, 'description', description, 'organisation', organisation, 'location', location,
    'remote', is_remote, 'url', url, 'language', language, 'tags', tags, 'starts_on', starts_on, 'ends_on', ends_on,
    'deadline', deadline_on, 'source', source, 'score', score) ORDER BY score DESC), '[]'))::text
FROM (
    SELECT row.*, 1 - (row.embedding <=> profile.embedding) AS score
    FROM profiling_profile AS profile JOIN accounts_user AS person ON person.id = profile.user_id AND person.is_active
    CROSS JOIN LATERAL (
        SELECT * FROM catalog_opportunity WHERE state = 'live' ORDER BY embedding <=> profile.embedding LIMIT 10
    ) AS row
    WHERE profile.user_id = $1
) AS best
"""


class HalfVector(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **options: Any) -> str:
        return "halfvec(384)"


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "accounts_user"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    full_name: Mapped[str]
    is_active: Mapped[bool]


class Profile(Base):
    __tablename__ = "profiling_profile"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID]
    summary: Mapped[str]
    embedding: Mapped[Any] = mapped_column(HalfVector)


class Opportunity(Base):
    __tablename__ = "catalog_opportunity"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    organisation: Mapped[str]
    location: Mapped[str]
    is_remote: Mapped[bool | None]
    url: Mapped[str]
    language: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(String))
    starts_on: Mapped[datetime.date | None] = mapped_column(Date)
    ends_on: Mapped[datetime.date | None] = mapped_column(Date)
    deadline_on: Mapped[datetime.date | None] = mapped_column(Date)
    source: Mapped[str]
    embedding: Mapped[Any] = mapped_column(HalfVector, deferred=True)


class Card(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    kind: str
    title: str
    description: str
    organisation: str
    location: str
    is_remote: bool | None
    url: str
    language: str
    tags: list[str]
    starts_on: datetime.date | None
    ends_on: datetime.date | None
    deadline_on: datetime.date | None
    source: str
    score: float


class Answer(BaseModel):
    recommendations: list[Card]


def person_of(authorization: str = Header()) -> uuid.UUID:
    try:
        return uuid.UUID(jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"])["sub"])
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error


def orm_service(dsn: str) -> FastAPI:
    service = FastAPI()
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://"), pool_size=16, max_overflow=0)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def session() -> Any:
        async with sessions() as opened:
            yield opened

    @service.get("/recommended", response_model=Answer)
    async def recommended(user_id: uuid.UUID = Depends(person_of), db: AsyncSession = Depends(session)) -> Any:
        person = await db.get(Person, user_id)
        if person is None or not person.is_active:
            raise HTTPException(401)
        profile = (await db.execute(select(Profile.embedding).where(Profile.user_id == user_id))).scalar_one()
        distance = text("embedding <=> CAST(:vector AS halfvec)")
        rows = select(Opportunity, text("1 - (embedding <=> CAST(:vector AS halfvec)) AS score")).where(Opportunity.state == "live")
        found = await db.execute(rows.order_by(distance).limit(LIMIT), {"vector": str(profile)})
        cards = []
        for row, score in found.all():
            row.score = score
            cards.append(row)
        return {"recommendations": cards}

    return service


async def _pool(dsn: str) -> asyncpg.Pool:
    return await asyncpg.create_pool(dsn, min_size=8, max_size=16)


def sql_service(dsn: str) -> FastAPI:
    service = FastAPI()
    pools: list[asyncpg.Pool] = []

    @service.on_event("startup")
    async def start() -> None:
        pools.append(await _pool(dsn))

    @service.get("/recommended")
    async def recommended(user_id: uuid.UUID = Depends(person_of)) -> Response:
        return Response(await pools[0].fetchval(_STATEMENT, user_id), media_type="application/json")

    return service


class BareProtocol(asyncio.Protocol):
    pool: asyncpg.Pool

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        token = data.partition(b"Bearer ")[2].partition(b"\r\n")[0].decode()
        user_id = uuid.UUID(jwt.decode(token, SECRET, algorithms=["HS256"])["sub"])
        asyncio.get_running_loop().create_task(self.answer(user_id))

    async def answer(self, user_id: uuid.UUID) -> None:
        body = (await self.pool.fetchval(_STATEMENT, user_id)).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


async def bare(dsn: str, port: int) -> None:
    BareProtocol.pool = await _pool(dsn)
    server = await asyncio.get_running_loop().create_server(BareProtocol, "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    kind, port = sys.argv[1], int(sys.argv[2])
    dsn = os.environ["PEER_DSN"]
    if kind == "bare":
        uvloop.run(bare(dsn, port))
        return
    import uvicorn

    service = orm_service(dsn) if kind == "orm" else sql_service(dsn)
    uvicorn.run(service, host="127.0.0.1", port=port, log_level="error", access_log=False, loop="uvloop", http="httptools")


if __name__ == "__main__":
    main()
