"""Layers that are written once for both Kerases. Imports no Keras before a class is asked for."""
