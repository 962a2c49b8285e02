"""The workspace that a key belongs to. https://apidocs.scripe.io/api/v1/workspaces"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import model_validator

from .. import _vocabulary
from ._base import OPEN_ENUM, Model

Plan: TypeAlias = _vocabulary.Plan | str
"""A subscription plan; the API may add others."""

Scope: TypeAlias = _vocabulary.Scope | str
"""What a key or a token may do; the API may have others."""


class Workspace(Model):
    """A workspace.

    Attributes:
        id: `org_…`, never changes.
        name: Its name, if it has one.
        plan: Its subscription plan.
        features: What it may use, by name.

    """

    id: str
    name: str | None = None
    plan: Annotated[Plan, OPEN_ENUM] | None = None
    features: dict[str, bool] = {}


class Principal(Model):
    """Who is calling.

    Attributes:
        type: `api_key`, or another kind of credential.
        id: `key_…` for keys.
        scopes: What it may do.

    """

    type: Annotated[_vocabulary.PrincipalType | str, OPEN_ENUM] | None = None
    id: str
    scopes: list[Annotated[Scope, OPEN_ENUM]] = []


class CurrentWorkspace(Model):
    """The answer to “who am I”: the workspace and the principal.

    Attributes:
        workspace: The workspace that the key acts in.
        principal: The key itself; None if the API did not say.

    """

    workspace: Workspace
    principal: Principal | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_flat(cls, value: object) -> object:
        # C23: another client of this API reads a flat workspace here.
        if isinstance(value, dict) and "workspace" not in value and "id" in value:
            return {"workspace": value}  # pyright: ignore[reportUnknownVariableType] - of any JSON
        return value  # pyright: ignore[reportUnknownVariableType] - of any JSON
