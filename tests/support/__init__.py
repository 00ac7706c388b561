"""Helpers that several tests share: servers, readers, and a journal of another kind."""
