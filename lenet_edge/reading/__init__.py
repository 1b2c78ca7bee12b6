"""Read pictures from files, folders and cameras; write the answers as text, JSON or CSV. No TensorFlow."""
