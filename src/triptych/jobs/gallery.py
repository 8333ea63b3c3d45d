"""The log of pictures for the server, over both engines: the same table that `core.gallery` keeps on SQLite.

A picture is found by the beginnings of words of its prompt, model or path, newest first, page by page. SQLite takes
"cafe" for "café"; PostgreSQL does only with an extension that few servers have, so there accents count. Knows no
pixels.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, TextClause, false, insert, select, text

from triptych.core.gallery import MAX_ROWS, Row, words_of
from triptych.core.recipe import Recipe
from triptych.jobs.schema import JOB_WORDS, PICTURE_WORDS, pictures, vector
from triptych.jobs.words import searchable, terms


def note(connection: Connection, path: str, recipe: Recipe, made: str | None = None) -> None:
    """Add a picture, inside the caller's transaction."""
    request = recipe.request
    connection.execute(
        insert(pictures).values(
            made=made or datetime.now(UTC).isoformat(timespec="seconds"),
            path=path,
            prompt=searchable(words_of(recipe)),
            model=recipe.model,
            seed=request.seed if request else None,
            pixels_sha256=recipe.pixels_sha256,
            recipe=recipe.dumps(),
        )
    )


def search(connection: Connection, words: str, limit: int, before: int | None) -> list[Row]:
    """At most `limit` pictures that are older than the one with the number `before`."""
    statement = select(pictures).order_by(pictures.c.id.desc()).limit(min(max(limit, 1), MAX_ROWS))
    if before is not None:
        statement = statement.where(pictures.c.id < before)
    if words.strip():
        statement = statement.where(matching(connection, words, "pictures"))
    return [row_of(row) for row in connection.execute(statement)]


def one(connection: Connection, number: int) -> Row | None:
    row = connection.execute(select(pictures).where(pictures.c.id == number)).first()
    return None if row is None else row_of(row)


def row_of(row: Any) -> Row:
    return Row(**(dict(row._mapping) | {"recipe": json.loads(row.recipe)}))


_SEARCHED = {
    # table -> (its FTS5 index and key on SQLite, what PostgreSQL's index is made of)
    "pictures": ("words", "pictures.id", PICTURE_WORDS),
    "jobs": ("job_words", "jobs.seq", JOB_WORDS),
}


def matching(connection: Connection, words: str, table: str) -> ColumnElement[bool] | TextClause:
    """Rows of `table` that have a word beginning with each of `words`; none if nothing in `words` is a word."""
    index, key, source = _SEARCHED[table]
    found = terms(words)
    if not found:
        return false()
    if connection.dialect.name == "sqlite":
        # Quoted, so that nothing a person types is read as FTS5 syntax; `terms` leaves no quotation mark.
        query = " ".join(f'"{term}"*' for term in found)
        clause = f"{key} IN (SELECT rowid FROM {index} WHERE {index} MATCH :query)"
    else:
        query = " & ".join(f"'{term}':*" for term in found)
        clause = f"{vector(source)} @@ to_tsquery('simple', :query)"
    return text(clause).bindparams(query=query)
