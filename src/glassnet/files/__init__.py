"""Files that hold networks: one format a file."""
