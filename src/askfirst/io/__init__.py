"""The only room with files and decoders: sources and tables in, parts out, documents and pictures opened."""
