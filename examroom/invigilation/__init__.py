"""The live board of a room (监考)."""
