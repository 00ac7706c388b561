"""What the verbs share: their options, the fields these set, sending them, and what came of it."""
