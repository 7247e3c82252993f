"""An issuer for development: tokens on the command line, and a realm that knows them.

Its key lies in the data folder, and whoever can read that can be anybody: it is for a
server that is reached from this machine only, and stops any other from starting.
``key`` keeps it, ``issuer`` signs and trusts, ``switching`` chooses contexts,
``endpoints`` serves ``/dev/realms/...``, ``command`` is ``fyr dev token``,
``privileges`` what users may do when nobody says.
"""
