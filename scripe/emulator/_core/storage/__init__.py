"""Keep the uploaded bytes: in a folder, or at an S3 endpoint."""
