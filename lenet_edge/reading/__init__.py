"""From files, folders and cameras to answers: batches, progress, text, JSON, CSV. Picture and runtime."""
