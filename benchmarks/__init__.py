"""How fast and how exact the library is, beside its peers: `make bench`."""
