"""Child processes that hold the models, and the supervisor that feeds them from the job store.

Untrusted bytes are decoded, and models run, in children; what they say comes back as frames of JSON and raw bytes. A
child that is killed costs its jobs one attempt and the server nothing.
"""
