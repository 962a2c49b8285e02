"""The resources of the API, one file each: they turn arguments into requests, and name the model of the response."""
