"""What every room uses: errors, files, options, which runtimes are installed. Imports no other room."""
