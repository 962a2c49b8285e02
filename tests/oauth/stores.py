"""Make stores that other processes can make too."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from scripe.oauth import SQLTokenStore


class BriefSQLTokenStore(SQLTokenStore):
    """One whose leases end so soon that a test can wait for it."""

    _lease_seconds = 2


def sqlite_engine(path: Path) -> sa.Engine:
    """Return an engine that closes each connection after use."""
    return sa.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool)


def sql_store(path: Path) -> SQLTokenStore:
    return SQLTokenStore(sqlite_engine(path))


def brief_sql_store(path: Path) -> SQLTokenStore:
    return BriefSQLTokenStore(sqlite_engine(path))
