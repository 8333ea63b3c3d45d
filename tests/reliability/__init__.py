"""The reliability programme: what nobody else's tests do to a server, with counts.

`make check-reliability` runs it whole; inside `make test` each test runs a short form. Real processes, real SIGKILL,
real errors of the file system. Every test adds its counts to the table that is printed at the end.
"""
