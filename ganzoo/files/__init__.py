"""Bytes on disk and from the network: archives, downloads, locks, atomic writes, run folders."""
