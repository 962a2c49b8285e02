"""Define the commands. No module here loads the client, or pydantic, before a command runs."""
