"""From a checkpoint to what the zoo ships."""
