"""What every folder uses: errors, files, options, installed runtimes. Imports no other folder."""
