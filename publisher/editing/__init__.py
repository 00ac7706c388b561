"""What the verbs share: options, the fields of a request, sending it, and its outcome."""
