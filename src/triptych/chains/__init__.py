"""Chains across models: concepts with one, a face with another, letters and size with a third, from one TOML file.

`plan` reads and checks the file, `operations` says what each kind of step calls, `run` carries the steps out, `record`
keeps what became of them. A chain is resumed by running it again: what is there and unchanged is not made twice.
"""
