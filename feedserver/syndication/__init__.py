"""The documents that other programs read: Atom, RSS, JSON Feed and their kin."""
