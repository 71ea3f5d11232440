"""messagehub against programs that nobody here wrote: SMPP libraries at both ends, Wireshark's dissector, a browser.

`make interop` installs them and runs these tests; plain `make test` knows nothing of them.
"""
