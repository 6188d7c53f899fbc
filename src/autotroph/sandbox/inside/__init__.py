"""What runs inside the jail. These files use the standard library only: the folder is mounted, the package is not."""
