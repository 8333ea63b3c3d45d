"""The HTTP server: the OpenAI Images API, jobs, events and pictures, over a service that is handed in.

Knows no model, no network and no torch; what makes pictures stands behind `service.Service`.
"""
