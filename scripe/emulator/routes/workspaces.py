"""GET /workspaces/me."""

from scripe.emulator.messages import Response
from scripe.emulator.routing import Call, Resource, Route, bare


def me(call: Call) -> Response:
    """The workspace and the principal of the key."""
    principal = call.principal
    return bare(
        {
            "workspace": {
                "id": principal.workspace_id,
                "name": principal.workspace_name,
                "plan": principal.plan,
                "features": {"apiAccess": True, "amplifiers": False, "engagementAutomation": False},
            },
            "principal": {"type": "api_key", "id": principal.key_id, "scopes": [*principal.scopes]},
        }
    )


RESOURCE = Resource((Route("GET", "/workspaces/me", me),))
