"""The workspace of an API key. https://apidocs.scripe.io/api/v1/workspaces"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import model_validator

from .. import _vocabulary
from ._base import OPEN_ENUM, Model

Plan: TypeAlias = _vocabulary.Plan | str
"""A subscription plan; the API may add others."""

Scope: TypeAlias = _vocabulary.Scope | str
"""A permission of an API key or a token; the API may have others."""


class Workspace(Model):
    """A workspace.

    Attributes:
        id: `org_…`, which never changes.
        name: Its name, if it has one.
        plan: Its subscription plan.
        features: Its features by name; True if enabled.

    """

    id: str
    name: str | None = None
    plan: Annotated[Plan, OPEN_ENUM] | None = None
    features: dict[str, bool] = {}


class Principal(Model):
    """The API key or user that a call is made as.

    Attributes:
        type: `api_key`, or another kind of credential.
        id: `key_…` for API keys.
        scopes: Its permissions.

    """

    type: Annotated[_vocabulary.PrincipalType | str, OPEN_ENUM] | None = None
    id: str
    scopes: list[Annotated[Scope, OPEN_ENUM]] = []


class CurrentWorkspace(Model):
    """The workspace and the principal of an API key or token.

    Attributes:
        workspace: The workspace that it acts in.
        principal: The API key or user itself; None if the API did not say.

    """

    workspace: Workspace
    principal: Principal | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_flat(cls, value: object) -> object:
        # C23 in docs/api-facts.md: another client of this API reads a workspace without the outer object here.
        if isinstance(value, dict) and "workspace" not in value and "id" in value:
            return {"workspace": value}  # pyright: ignore[reportUnknownVariableType] - of any JSON
        return value  # pyright: ignore[reportUnknownVariableType] - of any JSON
