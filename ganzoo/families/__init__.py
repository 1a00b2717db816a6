"""Families of models: what GANs, autoencoders and translators have in common."""
