"""The routes, a file for each kind of thing; each knows the service and no other route."""
