"""Several worker processes over one database: who starts them, and what they tell each other."""
