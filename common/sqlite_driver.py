"""SQLite for the asyncio engine, with one hop between threads for each statement. Counterpart: `common/db.py`.

aiosqlite runs every step in a thread of its connection: cursor, execute, fetch, close, begin, commit. Each hop there
and back costs more than the step itself, and one read takes nine. Here a statement takes one, the transaction begins
with its first statement, and an end with nothing to end takes none; of a transaction that is one statement, begin and
commit come along with it. To SQLAlchemy it is an aiosqlite connection.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

import aiosqlite

_READ: Final = "SELECT "
"""How SQLAlchemy begins what only reads. What is written by hand (`select 1`) goes the way of all other statements."""


class QuickConnection(aiosqlite.Connection):
    """One connection, used by one task at a time, as SQLAlchemy's pool sees to."""

    def __init__(self, path: str) -> None:
        # Without an isolation level sqlite3 opens no (deferred) transactions of its own.
        super().__init__(partial(sqlite3.connect, path, isolation_level=None), 0)
        self._thread.daemon = True  # as SQLAlchemy does with those it makes itself: a forgotten one ends with us
        self._to_begin = False
        self._single = False
        self._begun = False

    def begin_immediate(self, *, single: bool) -> None:
        """Take the write lock with the next statement; `single`: which is the whole transaction."""
        self._to_begin, self._single = True, single

    def cursor(self) -> "QuickCursor":  # type: ignore[override]  # aiosqlite's takes a hop
        """Costs nothing."""
        return QuickCursor(self)

    async def statement(self, cursor: "QuickCursor", sql: str, parameters: Any, *, many: bool) -> None:
        """Run a statement, after BEGIN if it is the first, and fill the cursor with all that came of it."""
        begin, self._to_begin = self._to_begin, False
        if begin and self._single:
            if not many and sql.startswith(_READ):
                # Sees what was committed before it begins, as after BEGIN IMMEDIATE, and waits for no writer.
                await self._execute(self._run, cursor, sql, parameters, False, False)  # type: ignore[no-untyped-call]
                return
            await self._execute(self._run_whole, cursor, sql, parameters, many)  # type: ignore[no-untyped-call]
            return
        # Noted before it is done: if we are cancelled meanwhile, the rollback that follows must not be spared.
        self._begun = self._begun or begin
        await self._execute(self._run, cursor, sql, parameters, begin, many)  # type: ignore[no-untyped-call]

    def terminate(self) -> None:
        """Close it after the statement that runs, without waiting for that (asyncpg's word for it)."""
        self.stop()

    async def commit(self) -> None:
        """End the transaction, if one was begun."""
        self._to_begin = False
        if self._begun:
            await super().commit()
            self._begun = False

    async def rollback(self) -> None:
        """Undo the transaction, if one was begun. What still runs in the thread ends before."""
        self._to_begin = False
        if self._begun:
            await super().rollback()
            self._begun = False

    def _run_whole(self, cursor: "QuickCursor", sql: str, parameters: Any, many: bool) -> None:
        """In the connection's thread: nothing is left open, however it ends and whether or not anybody still waits."""
        try:
            self._run(cursor, sql, parameters, True, many)
            self._conn.commit()
        except BaseException:
            self._conn.rollback()
            raise

    def _run(self, cursor: "QuickCursor", sql: str, parameters: Any, begin: bool, many: bool) -> None:
        """In the connection's thread."""
        if begin:
            self._conn.execute("begin immediate")
        done = self._conn.executemany(sql, parameters) if many else self._conn.execute(sql, parameters)
        cursor.description = done.description
        cursor.rows = done.fetchall() if done.description else []
        cursor.rowcount, cursor.lastrowid = done.rowcount, done.lastrowid  # of a RETURNING known only now
        done.close()


class QuickCursor:
    """What SQLAlchemy's adapter asks of an asynchronous cursor; all rows are there when `execute` returns."""

    arraysize = 1

    def __init__(self, connection: QuickConnection) -> None:
        self._connection = connection
        self.description: Any = None
        self.rows: list[Any] = []
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """One statement."""
        await self._connection.statement(self, sql, parameters, many=False)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """One statement for each set of parameters."""
        await self._connection.statement(self, sql, parameters, many=True)
        return self

    async def fetchall(self) -> list[Any]:
        """The rows, once."""
        rows, self.rows = self.rows, []
        return rows

    async def close(self) -> None:
        """The thread has closed its own already."""
        self.rows = []
