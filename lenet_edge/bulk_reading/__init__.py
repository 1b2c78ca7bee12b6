"""Read more pictures than one machine should: batches for any engine, and parts of an archive on Ray."""
