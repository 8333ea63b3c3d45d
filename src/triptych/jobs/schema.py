"""The tables as SQLAlchemy sees them. `migrations` makes them; a test holds the two against each other."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, MetaData, Table, Text

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("key", Text),
    Column("priority", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("once", Boolean, nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("worker", Text),
    Column("lease", Float),  # seconds since 1970 by the database's clock; only where several machines share the queue
    Column("deadline", Float),
    Column("bytes", BigInteger, nullable=False),
    Column("events", Integer, nullable=False),
    Column("error", Text),
    Column("result", Text),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
)

events = Table(
    "job_events",
    metadata,
    Column("job", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("data", Text, nullable=False),
)

outputs = Table(
    "job_pictures",
    metadata,
    Column("job", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("picture", Text, nullable=False),
)

keys = Table(
    "job_keys",
    metadata,
    Column("client", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("created", Float, nullable=False),
)

pictures = Table(
    "pictures",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("made", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("seed", BigInteger),
    Column("pixels_sha256", Text, nullable=False),
    Column("recipe", Text, nullable=False),
)

version = Table("job_schema", metadata, Column("version", Integer, primary_key=True), Column("name", Text))

PICTURE_WORDS = "prompt || ' ' || model || ' ' || path"
JOB_WORDS = "words"


def vector(source: str) -> str:
    """PostgreSQL's words of an expression. Its parser would keep a path or an address in one piece; FTS5 does not."""
    return f"to_tsvector('simple', regexp_replace({source}, '\\W+', ' ', 'g'))"
