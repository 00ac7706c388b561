"""Many processes over one database: who starts them, and how they talk."""
