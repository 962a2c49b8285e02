"""Keep logins in a table of a database, for machines that share one.

**A lock is a lease**: a name's row says who holds it until when, and one conditional `UPDATE` takes it. No transaction
is open while the holder waits for the network. A holder that dies keeps it for at most 30 seconds. Only the clock of
the database counts, in seconds since 1970, so that no machine's clock or time zone matters.

**Comparing and saving is one `UPDATE … WHERE revision = …`**, which every database does in one step, whoever holds the
lease.

Each statement is committed by itself. A row without a revision is not a record: it carries a lease.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple, NoReturn

from ..._core.config import check_type
from ..._core.oauth.token_store import TokenRecord
from ...errors import ConfigurationError, TokenStoreError
from ._names import check_name, lock_timeout_error

try:
    import sqlalchemy as sa
    from sqlalchemy import exc
except ModuleNotFoundError as _error:
    raise ConfigurationError(
        f'{_error.name} is not installed. Install scripe with the extra "sql", which adds {_error.name}.'
    ) from None

LEASE_SECONDS: Final = 30
POLL_INTERVAL: Final = 0.05

_METADATA = sa.MetaData()
_TABLE = sa.Table(
    "scripe_tokens",
    _METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("revision", sa.String(64)),
    sa.Column("content", sa.Text),
    sa.Column("lease_owner", sa.String(32)),
    sa.Column("lease_until", sa.Double),
)
_NOW = sa.cast(sa.extract("epoch", sa.func.current_timestamp()), sa.Double)  # SQLite and PostgreSQL have it
_IS_FREE = sa.or_(_TABLE.c.lease_owner.is_(None), _TABLE.c.lease_until <= _NOW)


class _Result(NamedTuple):
    """The outcome of a statement: the number of rows that it changed, and the first that it selected."""

    changed: int
    row: tuple[object, ...] | None


class SQLTokenStore:
    """Keeps logins in the table `scripe_tokens` of a database, PostgreSQL or SQLite, for all machines that share it.

    They are not encrypted: who can read the table can act as everyone who signed in. Wrap `load`, `save` and `pop` to
    encrypt the content. An engine with `echo=True` logs tokens, unless it has `hide_parameters=True`.

    The columns are `name` (the primary key, 64 characters), `revision` (64 characters, null if there is no record),
    `content` (a text), `lease_owner` (32 characters) and `lease_until` (double precision, seconds since 1970).

    Args:
        engine: An engine of SQLAlchemy, of `create_engine`. Nothing is sent to it before the store is first used.
        create_tables: True to create the table if it is missing; False if your migrations do that.

    Raises:
        ConfigurationError: SQLAlchemy is not installed (extra `sql`), or `engine` is not an engine.

    """

    _lease_seconds = LEASE_SECONDS

    def __init__(self, engine: sa.Engine, *, create_tables: bool = True) -> None:
        check_type(engine, sa.Engine, "engine", "what sqlalchemy.create_engine returns", ConfigurationError)
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._must_create_tables = create_tables

    def __repr__(self) -> str:
        return f"SQLTokenStore({self._engine!r})"

    def load(self, name: str) -> TokenRecord | None:
        """Return the record under a name; None if there is none."""
        check_name(name)
        row = self._execute(
            sa.select(_TABLE.c.revision, _TABLE.c.content).where(
                _TABLE.c.name == name, _TABLE.c.revision.is_not(None)
            )
        ).row
        return None if row is None else TokenRecord(str(row[0]), str(row[1]))

    def save(self, name: str, record: TokenRecord, only_over: str | None = None) -> bool:
        """Save a record and return True; return False if `only_over` is given and is not the stored revision."""
        check_name(name)
        values = {"revision": record.revision, "content": record.content}
        update = sa.update(_TABLE).where(_TABLE.c.name == name).values(values)
        if only_over is not None:
            return self._execute(update.where(_TABLE.c.revision == only_over)).changed == 1
        insert = sa.insert(_TABLE).values(name=name, **values)
        while not (self._execute(update).changed or self._execute(insert).changed):
            pass  # somebody else has inserted the row between the two: update it
        return True

    def pop(self, name: str) -> TokenRecord | None:
        """Remove a record and return it; None if there is none."""
        check_name(name)
        while (record := self.load(name)) is not None:
            is_same = sa.and_(_TABLE.c.name == name, _TABLE.c.revision == record.revision)
            delete = sa.delete(_TABLE).where(is_same, _TABLE.c.lease_owner.is_(None))
            clear = sa.update(_TABLE).where(is_same).values(revision=None, content=None)
            if self._execute(delete).changed or self._execute(clear).changed:
                return record
        return None

    @contextmanager
    def lock(self, name: str, timeout: float) -> Generator[None]:
        """Hold the lock of a name among all who use this table, for at most 30 seconds.

        Raises:
            TimeoutError: somebody else has held it for `timeout` seconds.

        """
        check_name(name)
        owner, deadline = secrets.token_hex(16), time.monotonic() + timeout
        while not self._acquire_lease(name, owner):
            if time.monotonic() >= deadline:
                raise lock_timeout_error(name, timeout)
            time.sleep(POLL_INTERVAL)
        try:
            yield
        finally:
            with suppress(TokenStoreError):  # what was saved is saved, and the lease ends by itself
                self._release_lease(name, owner)

    def _acquire_lease(self, name: str, owner: str) -> bool:
        row = self._execute(sa.select(_IS_FREE).where(_TABLE.c.name == name)).row
        lease = {"lease_owner": owner, "lease_until": _NOW + self._lease_seconds}
        if row is None:
            return self._execute(sa.insert(_TABLE).values(name=name, **lease)).changed == 1
        update = sa.update(_TABLE).where(_TABLE.c.name == name, _IS_FREE).values(lease)
        return bool(row[0]) and self._execute(update).changed == 1

    def _release_lease(self, name: str, owner: str) -> None:
        is_mine = sa.and_(_TABLE.c.name == name, _TABLE.c.lease_owner == owner)
        delete = sa.delete(_TABLE).where(is_mine, _TABLE.c.revision.is_(None))
        clear = sa.update(_TABLE).where(is_mine).values(lease_owner=None, lease_until=None)
        if not self._execute(delete).changed:
            self._execute(clear)

    def _execute(self, statement: sa.Executable) -> _Result:
        self._create_tables()
        # The error is raised outside of `except`: that of SQLAlchemy holds the tokens, and would be its context.
        try:
            with self._engine.connect() as connection:
                result = connection.execute(statement)
                row = result.first() if result.returns_rows else None
                # Not every driver counts inserted rows: an insert that raises nothing has inserted one.
                changed = 1 if isinstance(statement, sa.Insert) else result.rowcount
                return _Result(changed, None if row is None else tuple(row))
        except exc.IntegrityError:  # somebody else has just inserted the row
            return _Result(0, None)
        except exc.SQLAlchemyError as error:
            problem = _describe(error)
        raise TokenStoreError(
            f"The database of the token store cannot be used: {problem}. See that it runs and has the table "
            f"{_TABLE.name}."
        )

    def _create_tables(self) -> None:
        if self._must_create_tables:
            # If it fails because another process has just created the table, all is well; else the statement that
            # follows fails too, and says why.
            with suppress(exc.SQLAlchemyError):
                _METADATA.create_all(self._engine)
                self._must_create_tables = False

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError(
            "An SQLTokenStore cannot be pickled, since its connections cannot. Make it in the process that uses it."
        )


def _describe(error: exc.SQLAlchemyError) -> str:
    """Return the first line of the driver's own message: all others may show what was to be saved."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else None
    lines = str(cause or type(error).__name__).splitlines()
    return f"{type(cause or error).__name__}: {lines[0] if lines else ''}".rstrip(".: ")
