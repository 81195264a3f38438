"""The PBX: a DIPCAST DCMIWS gateway and the Asterisk servers behind it."""
