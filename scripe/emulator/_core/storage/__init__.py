"""Keep the uploaded bytes: in a folder of the emulator, or at an S3 endpoint."""
