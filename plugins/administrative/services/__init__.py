"""The services of this area, a file each."""
