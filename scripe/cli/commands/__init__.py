"""One file for each command. None loads the client, or pydantic, before it runs."""
