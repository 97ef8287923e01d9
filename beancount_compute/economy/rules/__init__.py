"""One rule a file: what an event does to the economy, and what is booked of it."""
