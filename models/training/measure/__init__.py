"""What posecam itself says of a trained network."""
