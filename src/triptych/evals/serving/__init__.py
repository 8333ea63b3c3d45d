"""What a server does under load: mixed clients, closed and open loop, and what of it they feel.

`workload` says what is asked, `loops` asks it of a server and takes the times, `figures` makes numbers of them, `peer`
is a plain server of diffusers over the same weights. The clock is the real one; the clients are played, so that nothing
but the server's own work is measured.
"""
