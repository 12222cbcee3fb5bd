"""What operators see: `metrics` counts attempts and requests, `request_log` writes one line for each attempt."""
