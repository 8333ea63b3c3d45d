"""Pictures by hosted models: OpenAI, Google, Black Forest Labs, ByteDance Ark, xAI and Alibaba DashScope.

A provider's file only translates: a `Task` into the one HTTP call that costs money, and an answer into pictures, a
ticket to ask again with, or an error with the right exit code. Sending, waiting, fetching, the ledger and the money are
here once for all of them. Imports no torch and no family; never reads the environment; is handed keys and folders.
"""
